-- Keeps the role and the language of a person in a workshop that goes on.
--
-- KEYS     1 round  2 assessment  3 attendance
-- ARGV     1 person  2 role and language
-- RETURNS  {"done"}, {"gone"}, {"none"}: no assessment, or {"stage"}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
local stage = redis.call('HGET', KEYS[2], 'stage')
if not stage then return {'none'} end
if stage ~= 'workshop' then return {'stage'} end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('EXPIREAT', KEYS[3], expires)
return {'done'}
