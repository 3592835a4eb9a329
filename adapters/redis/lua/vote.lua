-- Keeps a vote in the open ballot, unless a vote of the same person that was made later is kept. A
-- vote that was counted when the ballot was shown counts as made: its reply was lost. The secret is
-- compared by its hash, so that the log of slow commands does not hold it beside the pseudonym.
--
-- KEYS     1 round  2 ballot  3 votes
-- ARGV     1 number of the ballot  2 SHA-1 of its secret  3 pseudonym
--          4 rating  5 when the vote was made, unix microseconds, or 0: the last to arrive
--          6 token of the operation
-- RETURNS  {"done"}, {"gone"} or {"over"}: this ballot is not open
local expires = redis.call('EXPIRETIME', KEYS[1])
if expires < 0 then return {'gone'} end
local ballot = redis.call('HMGET', KEYS[2], 'number', 'secret', 'counted')
if ballot[1] ~= ARGV[1] or redis.sha1hex(ballot[2] or '') ~= ARGV[2] then
  if ballot[3] and string.find(ballot[3], ARGV[6], 1, true) then return {'done'} end
  return {'over'}
end
local at = ARGV[5]
local kept = redis.call('HGET', KEYS[3], ARGV[3])
if kept then
  local before = string.match(kept, '^%S+ (%d+) ')
  if at == '0' then at = before end
  if tonumber(before) > tonumber(at) then return {'done'} end
end
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4] .. ' ' .. at .. ' ' .. ARGV[6])
redis.call('EXPIREAT', KEYS[3], expires)
return {'done'}
