-- Erases a response, and everything of the person's entry in the roster but that they withdrew, and notes it in the ledger.
-- Again, it changes nothing.
--
-- KEYS  1 round  2 roster  3 responses  4 response  5 ledger  6 secret  7, 8 times of operations
-- ARGV  1 person  2 pseudonym  3 the entry of somebody who has withdrawn  4 now, unix microseconds
--       5 how long the ledger outlives the round, seconds
-- Returns {"done", the person's mark, the note}, {"gone"}, {"closed"} or {"absent"}: not in the roster.
local round = redis.call('HMGET', KEYS[1], 'state', 'salt')
if not round[1] then return {'gone'} end
local mark = redis.sha1hex((round[2] or '') .. ARGV[1])
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if entry == ARGV[3] then return {'done', mark, redis.call('HGET', KEYS[5], mark)} end
if round[1] == 'closed' then return {'closed'} end
if not entry then return {'absent'} end

redis.call('DEL', KEYS[4])
local owner = redis.sha1hex((redis.call('GET', KEYS[6]) or '') .. KEYS[4])
redis.call('HDEL', KEYS[7], owner)
redis.call('HDEL', KEYS[8], owner)
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return {'done', mark, note(KEYS[5], KEYS[1], mark, 'withdrawn', ARGV[4], ARGV[5])}
