-- Sets a field of a round that is kept.
--
-- KEYS  1 round
-- ARGV  1 field  2 value  3 "1" when it takes the place of another
-- Returns {"done"} or {"gone"}.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'gone'} end
redis.call(ARGV[3] == '1' and 'HSET' or 'HSETNX', KEYS[1], ARGV[1], ARGV[2])
return {'done'}
