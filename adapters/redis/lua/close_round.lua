-- Closes a round for good: destroys its secret, the times of operations, its links and what leads from
-- a link to a person, appends the audit entry and notes the close in the ledger, in one step. A closed
-- round keeps its first time.
--
-- KEYS     1 round  2 secret  3 roster  4 responses  5 queue  6 planned  7 zones  8 audit
--          9 links  10 index of links  11, 12 times of operations
--          13... of the workshop, and last the ledger
-- ARGV     1 time of the close, as text  2 expiry, unix seconds
--          3 the closing time that the round must still have, unix seconds, or empty
--          4 entry, or empty  5 its number  6 expiry of the ledger, unix seconds
-- RETURNS  {"done", version, state, time of the close, body, turnout, sealed}, {"gone"}
--          or {"behind", number of entries, the last entry}
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return {'gone'} end

if state ~= 'closed' and (ARGV[3] == '' or redis.call('HGET', KEYS[1], 'closes') == ARGV[3]) then
  if ARGV[4] ~= '' and redis.call('LLEN', KEYS[8]) ~= ARGV[5] - 1 then
    return {'behind', redis.call('LLEN', KEYS[8]), redis.call('LINDEX', KEYS[8], -1) or ''}
  end
  redis.call('HSET', KEYS[1], 'state', 'closed', 'closed', ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'version', 1)
  redis.call('DEL', KEYS[2])
  redis.call('UNLINK', KEYS[9], KEYS[11], KEYS[12])
  -- A link still leads to the round. The index is made anew in another order, because a small hash
  -- keeps the order in which its fields came, as the roster does.
  local index = redis.call('HGETALL', KEYS[10])
  local found = {}
  for i = 1, #index, 2 do
    found[#found + 1] = {index[i], index[i + 1] == 'open' and 'open' or 'person'}
  end
  table.sort(found, function(a, b) return a[1] < b[1] end)
  redis.call('DEL', KEYS[10])
  for _, f in ipairs(found) do redis.call('HSET', KEYS[10], f[1], f[2]) end
  if ARGV[4] ~= '' then redis.call('RPUSH', KEYS[8], ARGV[4]) end
  for i = 1, #KEYS - 1 do redis.call('EXPIREAT', KEYS[i], ARGV[2]) end
  redis.call('HSET', KEYS[#KEYS], 'closed', ARGV[1])
  redis.call('EXPIREAT', KEYS[#KEYS], ARGV[6])
end
local kept = redis.call('HMGET', KEYS[1], 'version', 'state', 'closed', 'body', 'turnout', 'sealed')
return {'done', kept[1], kept[2], kept[3], kept[4], kept[5], kept[6]}
