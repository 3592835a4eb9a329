-- Adds entries to the end of a list that has so many already; one that has others holds these entries, and the reply was lost.
--
-- KEYS  1 list
-- ARGV  1 how many entries it has  2... entries
-- Returns how many entries it has then.
if redis.call('LLEN', KEYS[1]) == tonumber(ARGV[1]) then
  for i = 2, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
end
return redis.call('LLEN', KEYS[1])
