-- Appends entries to a list that has a given length. A list of another length already has these
-- entries, and the reply was lost.
--
-- KEYS     1 list
-- ARGV     1 length before  2... entries
-- RETURNS  length after
if redis.call('LLEN', KEYS[1]) == tonumber(ARGV[1]) then
  for i = 2, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
end
return redis.call('LLEN', KEYS[1])
