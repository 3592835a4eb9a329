-- Owes people a message from a time on. What is owed already stays as it is.
--
-- KEYS  1 round  2 owed
-- ARGV  1 when it is due, unix seconds  2... messages
-- Returns {"done"} or {"gone"}.
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
for i = 2, #ARGV do redis.call('ZADD', KEYS[2], 'NX', ARGV[1], ARGV[i]) end
redis.call('EXPIREAT', KEYS[2], expires)
return {'done'}
