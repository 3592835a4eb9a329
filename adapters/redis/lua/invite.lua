-- Adds people who are not in the roster yet, owes them a message, and adds the entry of it to the record. An entry of the roster that
-- equals the one to be added was added by this very call, whose reply was lost: entries carry a word that no two calls share.
--
-- KEYS  1 round  2 roster  3 owed  4 audit
-- ARGV  1 kind of the message, or empty  2 when it is due, unix seconds  3 entry of the record, or empty  4 its number
--       5 how many people it is of  6... person, entry, person, entry
-- Returns {"done", {places of those added, from 1}}, {"gone"}, {"closed"}
--         or {"behind", entries there are, the last of them, how many people would be added}.
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
if ARGV[3] ~= '' and (redis.call('LLEN', KEYS[4]) ~= ARGV[4] - 1 or #fresh ~= tonumber(ARGV[5])) then
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
