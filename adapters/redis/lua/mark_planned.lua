-- Adds names to what was planned.
--
-- KEYS     1 round  2 planned
-- ARGV     1... names
-- RETURNS  {"done"} or {"gone"}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
redis.call('SADD', KEYS[2], unpack(ARGV))
redis.call('EXPIREAT', KEYS[2], expires)
return {'done'}
