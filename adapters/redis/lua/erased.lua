-- Put before the scripts that erase. It notes in the ledger of a round that something was erased, at a time in unix
-- microseconds; after what is noted there already, whatever the clocks of the processes say. The ledger outlives the round by
-- the seconds given. Returns the note: what was done, and when.
local function note(ledger, round, field, what, at, outlives)
  at = tonumber(at)
  local last = redis.call('HGET', ledger, field)
  if last then at = math.max(at, tonumber(string.match(last, '%d+$')) + 1) end
  local text = what .. string.format(' %.0f', at)
  redis.call('HSET', ledger, field, text)
  redis.call('EXPIREAT', ledger, redis.call('EXPIRETIME', round) + outlives)
  return text
end

