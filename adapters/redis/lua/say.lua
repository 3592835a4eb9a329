-- Sets or erases fields of a response, once for an operation. The last four operations are remembered as
-- eight characters each of a hash that takes the round's secret: it dies with the round's closing, and
-- then nothing leads from an operation, which a platform may have logged with a person, to a response.
-- When the last operation on each subject was made is remembered for ten minutes apart from the response: one that
-- was made earlier and comes later changes nothing.
--
-- KEYS  1 round  2 secret  3 response  4 turn
-- ARGV  1 now, unix seconds  2 operation  3 its subject  4 when it was made, unix microseconds, or 0
--       5... field, value, field, value; an empty value erases the field
-- Returns {"done", {every field and value of the response}}, {"gone"}, {"draft"}, {"closed"}
--         or {"absent"}: there is no response.
local round = redis.call('HMGET', KEYS[1], 'state', 'closes')
if not round[1] then return {'gone'} end
if round[1] == 'draft' then return {'draft'} end
local secret = redis.call('GET', KEYS[2])
if not secret then return {'closed'} end -- closing deletes it, at once with the change of state
local before = redis.call('HGET', KEYS[3], '.o') or ''
local token = string.sub(redis.sha1hex(secret .. ARGV[2]), 1, 8)
for i = 1, #before, 8 do
  if string.sub(before, i, i + 7) == token then return {'done', redis.call('HGETALL', KEYS[3])} end
end
if tonumber(ARGV[1]) >= tonumber(round[2]) then return {'closed'} end
if redis.call('EXISTS', KEYS[3]) == 0 then return {'absent'} end
if ARGV[4] ~= '0' then
  local last = redis.call('HGET', KEYS[4], ARGV[3])
  if last and tonumber(last) > tonumber(ARGV[4]) then return {'done', redis.call('HGETALL', KEYS[3])} end
  redis.call('HSET', KEYS[4], ARGV[3], ARGV[4])
  redis.call('EXPIRE', KEYS[4], 600)
end

for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[3], ARGV[i])
  else
    redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
  end
end
redis.call('HSET', KEYS[3], '.o', string.sub(token .. before, 1, 32))
return {'done', redis.call('HGETALL', KEYS[3])}
