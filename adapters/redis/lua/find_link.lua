-- Finds what the first of some hashes that the round has leads to. It changes nothing.
--
-- KEYS     1 round  2 index of links  3 links  4 roster  5 secret
-- ARGV     1 how many fields of the round to return  then these fields, then the hashes
-- RETURNS  {"done", values of the fields, place of the hash from 0, target in the index,
--          entry of the person in the roster, record of the open link, how many people came by it,
--          secret},
--          or {"unlinked"}: the round has none of the hashes
local count = tonumber(ARGV[1])
for i = count + 2, #ARGV do
  local target = redis.call('HGET', KEYS[2], ARGV[i])
  if target then
    local fields = redis.call('HMGET', KEYS[1], unpack(ARGV, 2, count + 1))
    local entry = redis.call('HGET', KEYS[4], target)
    local open = redis.call('HMGET', KEYS[3], 'open', 'used')
    local secret = redis.call('GET', KEYS[5])
    return {'done', fields, i - count - 2, target, entry, open[1], open[2], secret}
  end
end
return {'unlinked'}
