-- Erases a person's response and their whole entry in the roster, in any state of the round, and notes it in the ledger, also
-- where there was nothing: an older copy of the round may hold them. Of a round that has closed what they said stays, and so it is to
-- in a copy: that is noted beside what may have been erased before. Whoever was changing the entry finds that it is gone.
--
-- KEYS  1 round  2 ledger  3 roster; while there is a secret also  4 responses  5 response  6 secret
--       7, 8 times of operations
-- ARGV  1 person  2 pseudonym  3 now, unix microseconds  4 how long the ledger outlives the round, seconds
-- Returns {"done", the person's mark, the note, entries erased, responses erased}, {"gone"}
--         or {"closed"}: it was given keys of a response, and the round has closed meanwhile.
local round = redis.call('HMGET', KEYS[1], 'state', 'salt')
if not round[1] then return {'gone'} end
if KEYS[4] and round[1] == 'closed' then return {'closed'} end
local responses = 0
if KEYS[4] then
  responses = redis.call('DEL', KEYS[5])
  local owner = redis.sha1hex((redis.call('GET', KEYS[6]) or '') .. KEYS[5])
  redis.call('HDEL', KEYS[7], owner)
  redis.call('HDEL', KEYS[8], owner)
  redis.call('ZREM', KEYS[4], ARGV[2])
end
local entries = redis.call('HDEL', KEYS[3], ARGV[1])
local mark = redis.sha1hex((round[2] or '') .. ARGV[1])
local field, what = mark, 'forgotten'
if round[1] == 'closed' then field, what = 'left ' .. mark, 'left' end
return {'done', mark, note(KEYS[2], KEYS[1], field, what, ARGV[3], ARGV[4]), entries, responses}
