-- Sets when rounds are next planned, except rounds that were marked since their score was read.
--
-- KEYS     1 plans
-- ARGV     1... round, the score that was read, the score to set or empty for none, and so on
-- RETURNS  {"done"}
for i = 1, #ARGV, 3 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    if ARGV[i + 2] == '' then
      redis.call('ZREM', KEYS[1], ARGV[i])
    else
      redis.call('ZADD', KEYS[1], ARGV[i + 2], ARGV[i])
    end
  end
end
return {'done'}
