-- Replaces a person's entry in the roster, if it is still the one the change was made from. The
-- same change again counts as made.
--
-- KEYS     1 round  2 roster  3 zones
-- ARGV     1 now, unix seconds  2 person  3 entry before the change  4 entry after it
--          5 time zone to add, or empty
--          6 "1" when set_role_group.lua follows, else "0" (see runBoth)
-- RETURNS  {"done"}, {"changed", the current entry}, {"gone"}, {"draft"}, {"closed"}
--          or {"absent"}: not in the roster
local round = redis.call('HMGET', KEYS[1], 'state', 'closes')
if not round[1] then return {'gone'} end
redis.call('HDEL', KEYS[1], 'step')
local entry = redis.call('HGET', KEYS[2], ARGV[2])
if entry == ARGV[4] and ARGV[3] ~= ARGV[4] then return {'done'} end
if round[1] == 'draft' then return {'draft'} end
if round[1] == 'closed' or tonumber(ARGV[1]) >= tonumber(round[2]) then return {'closed'} end
if not entry then return {'absent'} end
if entry ~= ARGV[3] then return {'changed', entry} end

redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
if ARGV[5] ~= '' then
  redis.call('SADD', KEYS[3], ARGV[5])
  redis.call('EXPIREAT', KEYS[3], redis.call('EXPIRETIME', KEYS[1]))
end
if ARGV[6] == '1' then redis.call('HSET', KEYS[1], 'step', 1) end
return {'done'}
