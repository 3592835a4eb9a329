-- Sets or erases fields of a response, once for an operation. The last four operations are
-- remembered as eight characters each of a hash that includes the round's secret. After the close
-- nothing leads from an operation, which a platform may have logged with a person, to a response.
--
-- The times of the last operation on each subject are remembered for at least ten minutes. An
-- operation that was made earlier and arrives later changes nothing. Nor does an answer to an
-- unanswered element that was made too soon after the answer to another: it is an accidental second
-- tap. The times are kept apart from the response, under a hash that includes the secret, and are
-- deleted by the close: together with the times that a platform knows, they would tell whose
-- response it is.
--
-- KEYS     1 round  2 secret  3 response  4 times of operations  5 earlier times of operations
-- ARGV     1 now, unix seconds  2 operation  3 its subject, "answer ELEMENT" or "detail ELEMENT"
--          4 when it was made, unix microseconds, or 0
--          5 for an answer, how long after the answer to another element is too soon, microseconds;
--            else 0
--          6... field, value, field, value; an empty value erases the field
-- RETURNS  {"done", {each field and value of the response}}, {"gone"}, {"draft"}, {"closed"},
--          {"absent"}: there is no response,
--          or {"soon", {each field and value of the response}, the subject of the answer before}
local round = redis.call('HMGET', KEYS[1], 'state', 'closes')
if not round[1] then return {'gone'} end
if round[1] == 'draft' then return {'draft'} end
local secret = redis.call('GET', KEYS[2])
if not secret then return {'closed'} end -- closing deletes it together with the change of state

local subject, made = ARGV[3], ARGV[4]
local owner = redis.sha1hex(secret .. KEYS[3])
-- times holds the time of each subject, and under "last answer" the subject of the latest answer.
local times = {}
if made ~= '0' then
  local known = redis.call('HGET', KEYS[4], owner) or redis.call('HGET', KEYS[5], owner)
  times = cjson.decode(known or '{}')
end
local last = times['last answer']
-- open: an answer to an element that has none, after the answer to another.
local open = ARGV[5] ~= '0' and ARGV[7] ~= '' and last and last ~= subject
  and redis.call('HEXISTS', KEYS[3], ARGV[6]) == 0

local before = redis.call('HGET', KEYS[3], '.o') or ''
local token = string.sub(redis.sha1hex(secret .. ARGV[2]), 1, 8)
for i = 1, #before, 8 do
  if string.sub(before, i, i + 7) == token then
    -- Without an answer to the element, the operation was refused the first time too.
    if open then return {'soon', redis.call('HGETALL', KEYS[3]), last} end
    return {'done', redis.call('HGETALL', KEYS[3])}
  end
end
if tonumber(ARGV[1]) >= tonumber(round[2]) then return {'closed'} end
if redis.call('EXISTS', KEYS[3]) == 0 then return {'absent'} end

if open then
  -- Compare it with each answer, not only the last: it may arrive after a later one.
  for other, at in pairs(times) do
    local since = string.sub(other, 1, 7) == 'answer ' and other ~= subject
      and tonumber(made) - tonumber(at)
    if since and since >= 0 and since < tonumber(ARGV[5]) then
      redis.call('HSET', KEYS[3], '.o', string.sub(token .. before, 1, 32))
      return {'soon', redis.call('HGETALL', KEYS[3]), other}
    end
  end
end
if made ~= '0' then
  if times[subject] and tonumber(times[subject]) > tonumber(made) then
    return {'done', redis.call('HGETALL', KEYS[3])}
  end
  times[subject] = made
  local latest = not last or tonumber(made) >= tonumber(times[last])
  if string.sub(subject, 1, 7) == 'answer ' and latest then
    times['last answer'] = subject
  end
  -- A hash that was begun ten minutes ago replaces the earlier one.
  local left = redis.call('TTL', KEYS[4])
  if left >= 0 and left <= 1200 then
    redis.call('UNLINK', KEYS[5])
    redis.call('RENAME', KEYS[4], KEYS[5])
  end
  redis.call('HSET', KEYS[4], owner, cjson.encode(times))
  if redis.call('TTL', KEYS[4]) < 0 then redis.call('EXPIRE', KEYS[4], 1800) end
end

for i = 6, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[3], ARGV[i])
  else
    redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
  end
end
redis.call('HSET', KEYS[3], '.o', string.sub(token .. before, 1, 32))
return {'done', redis.call('HGETALL', KEYS[3])}
