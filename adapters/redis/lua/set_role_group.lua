-- Creates a response with a role group, or gives it another, after change_member.lua has changed
-- the person's entry in the same transaction.
--
-- KEYS     1 round  2 responses  3 response
-- ARGV     1 pseudonym  2 role group
-- RETURNS  {"done"}, also when there is nothing to do
if redis.call('HDEL', KEYS[1], 'step') == 0 then return {'done'} end
local expires = redis.call('EXPIRETIME', KEYS[1])
redis.call('HSET', KEYS[3], '.g', ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('EXPIREAT', KEYS[2], expires)
redis.call('EXPIREAT', KEYS[3], expires)
return {'done'}
