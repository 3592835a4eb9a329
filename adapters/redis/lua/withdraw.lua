-- Erases a response, and everything of the person's entry in the roster but that they withdrew.
-- Again, it changes nothing.
--
-- KEYS  1 round  2 roster  3 responses  4 response  5 turn
-- ARGV  1 person  2 pseudonym  3 the entry of somebody who has withdrawn
-- Returns {"done"}, {"gone"}, {"closed"} or {"absent"}: not in the roster.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return {'gone'} end
local entry = redis.call('HGET', KEYS[2], ARGV[1])
if entry == ARGV[3] then return {'done'} end
if state == 'closed' then return {'closed'} end
if not entry then return {'absent'} end

redis.call('DEL', KEYS[4], KEYS[5])
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return {'done'}
