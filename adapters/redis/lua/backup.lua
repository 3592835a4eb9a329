-- Reads entries of the roster and the responses of the same people at one moment, while there is a secret that leads from one to
-- the other.
--
-- KEYS  1 secret  2 roster  3... responses
-- ARGV  1... people, in the order of their responses
-- Returns {"done", {entries}, {responses, each as fields and values}} or {"closed"}.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'closed'} end
local responses = {}
for i = 3, #KEYS do responses[i - 2] = redis.call('HGETALL', KEYS[i]) end
return {'done', redis.call('HMGET', KEYS[2], unpack(ARGV)), responses}
