-- Counts the votes of the open ballot, keeps the counts with the assessment, deletes the votes and
-- the ballot's secret, and appends the audit entry. The same operation again counts as made: its
-- reply was lost. The tokens of the votes that were counted stay, so that a vote that is sent again
-- is not refused.
--
-- KEYS     1 round  2 assessment  3 ballot  4 votes  5 audit
-- ARGV     1 number of the ballot  2 operation  3 how many people must have chosen a level
--          4 entry, or empty  5 its number
-- RETURNS  {"done", version, stage, body, shown, ended}, {"gone"}, {"none"}: no assessment,
--          {"over"}: this ballot is not open, {"few"} or {"behind", number of entries, the last entry}
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
local function done()
  local kept = redis.call('HMGET', KEYS[2], 'version', 'stage', 'body', 'shown', 'ended')
  return {'done', kept[1], kept[2], kept[3], kept[4], kept[5]}
end
if redis.call('EXISTS', KEYS[2]) == 0 then return {'none'} end
local ballot = redis.call('HMGET', KEYS[3], 'number', 'shown')
local by = ARGV[1] .. ' ' .. ARGV[2]
if ballot[2] == by then return done() end
if ballot[1] ~= ARGV[1] then return {'over'} end

local counts = {}
local rated = 0
local unsure = 0
local tokens = {}
local votes = redis.call('HGETALL', KEYS[4])
for i = 2, #votes, 2 do
  local rating, token = string.match(votes[i], '^(%S+) %S+ (%S+)$')
  local level = tonumber(rating)
  tokens[#tokens + 1] = token
  if level > 0 then
    for lower = #counts + 1, level do counts[lower] = 0 end
    counts[level] = counts[level] + 1
    rated = rated + 1
  else
    unsure = unsure + 1
  end
end
if rated < tonumber(ARGV[3]) then return {'few'} end
if ARGV[4] ~= '' and redis.call('LLEN', KEYS[5]) ~= ARGV[5] - 1 then
  return {'behind', redis.call('LLEN', KEYS[5]), redis.call('LINDEX', KEYS[5], -1) or ''}
end

table.sort(tokens) -- their order is not to say who came when
redis.call('HSET', KEYS[2], 'shown', string.format('{"ballot":%s,"counts":[%s],"dontKnow":%d}',
  ARGV[1], table.concat(counts, ','), unsure))
redis.call('HINCRBY', KEYS[2], 'version', 1)
redis.call('DEL', KEYS[4])
redis.call('HDEL', KEYS[3], 'number', 'secret')
redis.call('HSET', KEYS[3], 'shown', by, 'counted', table.concat(tokens, ' '))
redis.call('EXPIREAT', KEYS[3], expires)
if ARGV[4] ~= '' then
  redis.call('RPUSH', KEYS[5], ARGV[4])
  redis.call('EXPIREAT', KEYS[5], expires)
end
return done()
