-- Adds people who are not in the roster yet. An entry that equals the one to be added was added by this
-- very call, whose reply was lost: entries carry a word that no two calls share.
--
-- KEYS  1 round  2 roster
-- ARGV  person, entry, person, entry ...
-- Returns {"done", {places of those added, from 1}}, {"gone"} or {"closed"}.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return {'gone'} end
if state == 'closed' then return {'closed'} end

local added = {}
for i = 1, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1]) == 1
    or redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] then
    added[#added + 1] = (i + 1) / 2
  end
end
redis.call('EXPIREAT', KEYS[2], redis.call('EXPIRETIME', KEYS[1]))
return {'done', added}
