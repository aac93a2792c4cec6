"""The scripts Redis runs for the counter: each is one round trip, whole or not at all.

Three hashes with the same fields (see batches.Batch): what was counted since the last flush (pending), what is on its
way into the tables (batch), what the tables say (totals). Together they are the number to show, at every moment.
Visitors can't be added up: u:DAY in the totals is how many the tables know of, and the larger number is shown, so that
a Redis that has lost its memory doesn't begin at none.
"""

# KEYS: pending, batch, totals, visitors and referrers of the day, source.
# ARGV: number (0: count nothing), day, visitor (blank: a robot), post or blank, referrer or blank, referrers a day,
# the name of those beyond.
# A source numbers what it sends; a number that was seen is not counted again, so that sending twice does no harm.
COUNT = """
local call = redis.call
local pending, batch, totals, visitors, referrers, source = unpack(KEYS)
local number, day, visitor, post, referrer, most, other = unpack(ARGV)
local of_day, of_post = 'd:' .. day, 't:' .. post
local waiting  -- what is pending of these two, where counting has told it
if tonumber(number) > tonumber(call('GET', source) or 0) then
  call('SET', source, number, 'EX', 86400)
  if visitor == '' then
    call('HINCRBY', pending, 'b:' .. day, 1)
  else
    waiting = {call('HINCRBY', pending, of_day, 1)}
    if call('PFADD', visitors, visitor) == 1 then call('EXPIRE', visitors, 259200) end
    if post ~= '' then
      call('HINCRBY', pending, 'p:' .. day .. ':' .. post, 1)
      waiting[2] = call('HINCRBY', pending, of_post, 1)
    end
    if referrer ~= '' then
      -- Nobody can invent an engine, so those are bounded as they are.
      if string.sub(referrer, 1, 7) ~= 'engine:' and call('SISMEMBER', referrers, referrer) == 0 then
        if call('SCARD', referrers) < tonumber(most) then
          call('SADD', referrers, referrer)
          call('EXPIRE', referrers, 259200)
        else
          referrer = other
        end
      end
      call('HINCRBY', pending, 'r:' .. day .. ':' .. referrer, 1)
    end
  end
end
waiting = waiting or call('HMGET', pending, of_day, of_post)
local told, on_its_way = call('HMGET', totals, of_day, of_post, 'u:' .. day), call('HMGET', batch, of_day, of_post)
local function shown(at) return told[at] and told[at] + (on_its_way[at] or 0) + (waiting[at] or 0) end
local seen = told[3] and math.max(told[3], call('PFCOUNT', visitors))
return {shown(1), seen, post ~= '' and shown(2)}
"""

# KEYS: pending, batch. ARGV: the id of a new batch. Returns what is to be flushed now: a batch left over, else a new
# one.
TAKE = """
local pending, batch = unpack(KEYS)
if redis.call('EXISTS', batch) == 0 and redis.call('EXISTS', pending) == 1 then
  redis.call('RENAME', pending, batch)
  redis.call('HSET', batch, 'id', ARGV[1])
end
return redis.call('HGETALL', batch)
"""

# KEYS: batch, totals. ARGV: the id of the batch that is in the tables, then fields and what the tables say of them now.
# Somebody else's batch is left alone.
FINISH = """
local batch, totals = unpack(KEYS)
if redis.call('HGET', batch, 'id') ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSET', totals, ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', totals, 86400)
return redis.call('DEL', batch)
"""
