-- Erases a response and the times of its operations, after withdraw.lua or forget.lua has erased
-- the person's entry in the same transaction.
--
-- KEYS     1 round  2 responses  3 response  4 secret  5, 6 times of operations
-- ARGV     1 pseudonym
-- RETURNS  {"done", number of responses erased}
if redis.call('HDEL', KEYS[1], 'step') == 0 then return {'done', 0} end
local owner = redis.sha1hex((redis.call('GET', KEYS[4]) or '') .. KEYS[3])
redis.call('HDEL', KEYS[5], owner)
redis.call('HDEL', KEYS[6], owner)
redis.call('ZREM', KEYS[2], ARGV[1])
return {'done', redis.call('DEL', KEYS[3])}
