-- Hands out messages that are due, and makes them due again later, for when whoever takes them does not settle them.
--
-- KEYS  1 owed
-- ARGV  1 now, unix seconds  2 when they are due again  3 how many at most
-- Returns {"done", {messages}}.
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for i = 1, #due do redis.call('ZADD', KEYS[1], ARGV[2], due[i]) end
return {'done', due}
