-- Replaces a person's entry in the roster, in any state of the round, if it is still the one the
-- change was made from. The same change again finds the entry changed, to what it was to be.
--
-- KEYS     1 roster
-- ARGV     1 person  2 entry before the change  3 entry after it
-- RETURNS  {"done"}, {"changed", the current entry} or {"absent"}: not in the roster
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if not entry then return {'absent'} end
if entry ~= ARGV[2] then return {'changed', entry} end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {'done'}
