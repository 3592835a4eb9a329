-- Enqueues messages that are due at a time. A message that is already queued stays as it is.
--
-- KEYS     1 round  2 queue
-- ARGV     1 when they are due, unix seconds  2... messages
-- RETURNS  {"done"} or {"gone"}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
for i = 2, #ARGV do redis.call('ZADD', KEYS[2], 'NX', ARGV[1], ARGV[i]) end
redis.call('EXPIREAT', KEYS[2], expires)
return {'done'}
