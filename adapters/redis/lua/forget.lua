-- Erases a person's whole entry in the roster, and their link, in any state of the round, and notes that
-- in the ledger even when there was no entry, since an older copy of the round may hold one. Their
-- response in a closed round stays, and is to stay in a copy: the ledger notes that beside an
-- earlier erasure. A change of the entry that is under way then finds no entry.
--
-- KEYS     1 round  2 ledger  3 roster  4 links  5 index of links
-- ARGV     1 person  2 now, unix microseconds
--          3 how much longer than the round the ledger is kept, seconds
--          4 "1" when erase_response.lua follows in the same transaction, else "0" (see runBoth)
-- RETURNS  {"done", the person's mark, the note, number of entries erased}, {"gone"}
--          or {"closed"}: erase_response.lua was to follow, but the round has closed
local round = redis.call('HMGET', KEYS[1], 'state', 'salt')
if not round[1] then return {'gone'} end
redis.call('HDEL', KEYS[1], 'step')
if ARGV[4] == '1' and round[1] == 'closed' then return {'closed'} end
local entries = redis.call('HDEL', KEYS[3], ARGV[1])
local link = redis.call('HGET', KEYS[4], ARGV[1])
if link then
  local hash = cjson.decode(string.match(link, '^%d+ (.*)$')).h
  if hash then redis.call('HDEL', KEYS[5], hash) end
  redis.call('HDEL', KEYS[4], ARGV[1])
end
local mark = redis.sha1hex((round[2] or '') .. ARGV[1])
local field, what = mark, 'forgotten'
if round[1] == 'closed' then field, what = 'left ' .. mark, 'left' end
if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 'step', 1) end
return {'done', mark, note(KEYS[2], KEYS[1], field, what, ARGV[2], ARGV[3]), entries}
