-- Sets or erases fields of a response, once for an operation. The last four operations are remembered as
-- eight characters each of a hash that takes the round's secret: it dies with the round's closing, and
-- then nothing leads from an operation, which a platform may have logged with a person, to a response.
--
-- For at least ten minutes it is remembered when the last operation on each subject was made: one that was made
-- earlier and arrives later changes nothing. These times lie apart from the response, under a hash that
-- takes the secret as well, and closing deletes them: beside the times that a platform knows, they would
-- tell whose response is whose.
--
-- KEYS  1 round  2 secret  3 response  4 times of operations  5 earlier times of operations
-- ARGV  1 now, unix seconds  2 operation  3 its subject, "answer ELEMENT" or "detail ELEMENT"
--       4 when it was made, unix microseconds, or 0
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
  local subject, made = ARGV[3], ARGV[4]
  local owner = redis.sha1hex(secret .. KEYS[3])
  -- times holds the time of each subject, and under "last answer" the subject of the latest answer.
  local times = cjson.decode(redis.call('HGET', KEYS[4], owner) or redis.call('HGET', KEYS[5], owner) or '{}')
  if times[subject] and tonumber(times[subject]) > tonumber(made) then
    return {'done', redis.call('HGETALL', KEYS[3])}
  end
  times[subject] = made
  local last = times['last answer']
  if string.sub(subject, 1, 7) == 'answer ' and (not last or tonumber(made) >= tonumber(times[last])) then
    times['last answer'] = subject
  end
  -- A hash that was begun ten minutes ago becomes the earlier one, in place of the one before it.
  local left = redis.call('TTL', KEYS[4])
  if left >= 0 and left <= 1200 then
    redis.call('UNLINK', KEYS[5])
    redis.call('RENAME', KEYS[4], KEYS[5])
  end
  redis.call('HSET', KEYS[4], owner, cjson.encode(times))
  if redis.call('TTL', KEYS[4]) < 0 then redis.call('EXPIRE', KEYS[4], 1800) end
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
