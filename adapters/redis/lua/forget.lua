-- Erases a person's whole entry in the roster, in any state of the round, and notes it in the ledger, also where
-- there was nothing: an older copy of the round may hold it. Of a round that has closed what they said stays, and
-- so it is to in a copy: that is noted beside what may have been erased before. Whoever was changing the entry finds that it is gone.
--
-- KEYS  1 round  2 ledger  3 roster
-- ARGV  1 person  2 now, unix microseconds  3 how long the ledger outlives the round, seconds
--       4 "1" when erase.lua follows in the same transaction, else "0" (see runBoth)
-- Returns {"done", the person's mark, the note, entries erased}, {"gone"}
--         or {"closed"}: erase.lua was to follow, and the round has closed meanwhile.
local round = redis.call('HMGET', KEYS[1], 'state', 'salt')
if not round[1] then return {'gone'} end
redis.call('HDEL', KEYS[1], 'step')
if ARGV[4] == '1' and round[1] == 'closed' then return {'closed'} end
local entries = redis.call('HDEL', KEYS[3], ARGV[1])
local mark = redis.sha1hex((round[2] or '') .. ARGV[1])
local field, what = mark, 'forgotten'
if round[1] == 'closed' then field, what = 'left ' .. mark, 'left' end
if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 'step', 1) end
return {'done', mark, note(KEYS[2], KEYS[1], field, what, ARGV[2], ARGV[3]), entries}
