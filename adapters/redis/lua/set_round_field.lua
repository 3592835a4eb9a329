-- Sets a field of a round.
--
-- KEYS     1 round
-- ARGV     1 field  2 value  3 "1" when it replaces a value that is there, else "0"
-- RETURNS  {"done"} or {"gone"}
if redis.call('EXISTS', KEYS[1]) == 0 then return {'gone'} end
redis.call(ARGV[3] == '1' and 'HSET' or 'HSETNX', KEYS[1], ARGV[1], ARGV[2])
return {'done'}
