-- Enqueues a post to the coordinators' channel and marks its kind as planned. A kind that is marked
-- already is not enqueued again.
--
-- KEYS     1 round  2 planned  3 queue
-- ARGV     1 kind  2 message  3 when it is due, unix seconds
-- RETURNS  {"done"} or {"gone"}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end

if redis.call('SADD', KEYS[2], ARGV[1]) == 1 then
  redis.call('ZADD', KEYS[3], 'NX', ARGV[3], ARGV[2])
  redis.call('EXPIREAT', KEYS[2], expires)
  redis.call('EXPIREAT', KEYS[3], expires)
end
return {'done'}
