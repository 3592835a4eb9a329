-- Reduces a person's entry in the roster to the fact that they withdrew, and notes that in the
-- ledger. Another call changes nothing. erase_response.lua follows in the same transaction (see
-- runBoth).
--
-- KEYS     1 round  2 roster  3 ledger
-- ARGV     1 person  2 the entry of a person who withdrew  3 now, unix microseconds
--          4 how much longer than the round the ledger is kept, seconds
-- RETURNS  {"done", the person's mark, the note}, {"gone"}, {"closed"}
--          or {"absent"}: not in the roster
local round = redis.call('HMGET', KEYS[1], 'state', 'salt')
if not round[1] then return {'gone'} end
redis.call('HDEL', KEYS[1], 'step')
local mark = redis.sha1hex((round[2] or '') .. ARGV[1])
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if entry == ARGV[2] then return {'done', mark, redis.call('HGET', KEYS[3], mark)} end
if round[1] == 'closed' then return {'closed'} end
if not entry then return {'absent'} end

redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[1], 'step', 1)
return {'done', mark, note(KEYS[3], KEYS[1], mark, 'withdrawn', ARGV[3], ARGV[4])}
