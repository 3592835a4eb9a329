-- Replaces entries in the roster of a closed round. It adds none for a person who was forgotten
-- meanwhile.
--
-- KEYS     1 roster
-- ARGV     1... person, entry, person, entry
-- RETURNS  {"done"}
for i = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
return {'done'}
