-- What wrk sends, and what it found as one line of JSON. With BEACON_POSTS it sends beacons for one of so many posts from
-- BEACON_FIRST on, from 10,000 addresses in turn, by 200 browsers, every fourth of a reader who came from elsewhere.
-- With PATHS it asks for each of them in turn.

wrk.headers["User-Agent"] = os.getenv("USER_AGENT")

local posts = tonumber(os.getenv("BEACON_POSTS") or "")
local sent = 0
local VISITORS = 10000

local function browsers()
  local found = {}
  local systems = {"X11; Linux x86_64", "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "Linux; Android 10; K"}
  for version = 101, 150 do
    for _, system in ipairs(systems) do
      table.insert(found, string.format(
        "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", system, version))
    end
  end
  return found
end

local function referrers()
  local found = {"https://www.google.com", "https://cn.bing.com", "https://www.baidu.com", "https://duckduckgo.com"}
  for number = 1, 40 do
    table.insert(found, string.format("https://site%d.example.com", number))
  end
  return found
end

-- Written before the clock runs: to put a request together takes this program a tenth of what answering it takes.
local ready = {}

if posts then
  local first, agents, origins = tonumber(os.getenv("BEACON_FIRST")), browsers(), referrers()
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  init = function()
    for number = 1, VISITORS do
      wrk.headers["X-Forwarded-For"] = string.format("10.1.%d.%d", number / 256 % 256, number % 256)
      wrk.headers["User-Agent"] = agents[number % #agents + 1]
      local from = number % 4 == 0 and string.format(', "referrer": "%s"', origins[number / 4 % #origins + 1]) or ""
      ready[number] = wrk.format(nil, nil, nil, string.format('{"post": %d%s}', first + number % posts, from))
    end
  end
  request = function()
    sent = sent % VISITORS + 1
    return ready[sent]
  end
end

local paths = {}
for path in string.gmatch(os.getenv("PATHS") or "", "%S+") do
  table.insert(paths, path)
end
if #paths > 0 then
  request = function()
    sent = sent + 1
    return wrk.format(nil, paths[sent % #paths + 1])
  end
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %f, "bytes": %d, "p50_ms": %f, "p99_ms": %f, "statuses": %d, "sockets": %d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
