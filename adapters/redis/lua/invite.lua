-- Adds people who are not in the roster yet, enqueues a message for each, and appends the audit
-- entry. An entry in the roster that equals the one to be added was added by this call, whose reply
-- was lost: each call puts a random word into its entries.
--
-- KEYS     1 round  2 roster  3 queue  4 audit
-- ARGV     1 kind of the message, or empty  2 when it is due, unix seconds
--          3 audit entry, or empty  4 its number  5 how many people it is of
--          6... person, entry, person, entry
-- RETURNS  {"done", {positions of those added, from 1}}, {"gone"}, {"closed"}
--          or {"behind", number of entries, the last entry, how many people would be added}
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return {'gone'} end
if state == 'closed' then return {'closed'} end

local fresh, added = {}, {}
for i = 6, #ARGV, 2 do
  local kept = redis.call('HGET', KEYS[2], ARGV[i])
  if not kept then fresh[#fresh + 1] = i end
  if not kept or kept == ARGV[i + 1] then added[#added + 1] = (i - 4) / 2 end
end
if #fresh == 0 then return {'done', added} end
local stale = redis.call('LLEN', KEYS[4]) ~= ARGV[4] - 1 or #fresh ~= tonumber(ARGV[5])
if ARGV[3] ~= '' and stale then
  return {'behind', redis.call('LLEN', KEYS[4]), redis.call('LINDEX', KEYS[4], -1) or '', #fresh}
end

for _, i in ipairs(fresh) do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  if ARGV[1] ~= '' then redis.call('ZADD', KEYS[3], 'NX', ARGV[2], ARGV[1] .. ' ' .. ARGV[i]) end
end
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[4], ARGV[3]) end
local expires = redis.call('EXPIRETIME', KEYS[1])
for i = 2, 4 do redis.call('EXPIREAT', KEYS[i], expires) end
return {'done', added}
