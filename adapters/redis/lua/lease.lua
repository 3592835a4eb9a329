-- Leases messages that are due, half of them the oldest due and half the newest: makes them due
-- again when the lease ends.
--
-- KEYS     1 queue
-- ARGV     1 now, unix seconds  2 when the lease ends, unix seconds  3 how many at most
-- RETURNS  {"done", {messages}}
local latest = math.floor(ARGV[3] / 2)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3] - latest)
for i = 1, #due do redis.call('ZADD', KEYS[1], ARGV[2], due[i]) end
if latest > 0 then
  local late = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], '-inf', 'LIMIT', 0, latest)
  for i = 1, #late do
    redis.call('ZADD', KEYS[1], ARGV[2], late[i])
    due[#due + 1] = late[i]
  end
end
return {'done', due}
