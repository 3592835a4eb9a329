-- Adds people who are not in the roster yet, and owes them a message. An entry that equals the one to be added was added by this
-- very call, whose reply was lost: entries carry a word that no two calls share.
--
-- KEYS  1 round  2 roster  3 owed
-- ARGV  1 kind of the message, or empty  2 when it is due, unix seconds  3... person, entry, person, entry
-- Returns {"done", {places of those added, from 1}}, {"gone"} or {"closed"}.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return {'gone'} end
if state == 'closed' then return {'closed'} end

local added = {}
for i = 3, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1]) == 1
    or redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] then
    added[#added + 1] = (i - 1) / 2
    if ARGV[1] ~= '' then redis.call('ZADD', KEYS[3], 'NX', ARGV[2], ARGV[1] .. ' ' .. ARGV[i]) end
  end
end
local expires = redis.call('EXPIRETIME', KEYS[1])
redis.call('EXPIREAT', KEYS[2], expires)
redis.call('EXPIREAT', KEYS[3], expires)
return {'done', added}
