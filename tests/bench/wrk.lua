-- What wrk sends, and what it found as one line of JSON. With BEACON_POSTS it sends beacons: each from another address,
-- for one of so many posts from BEACON_FIRST on.

wrk.headers["User-Agent"] = os.getenv("USER_AGENT")

local posts = tonumber(os.getenv("BEACON_POSTS") or "")
if posts then
  local first, sent = tonumber(os.getenv("BEACON_FIRST")), 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  request = function()
    sent = sent + 1
    wrk.headers["X-Forwarded-For"] = string.format("10.%d.%d.%d", sent / 65536 % 256, sent / 256 % 256, sent % 256)
    return wrk.format(nil, nil, nil, string.format('{"post": %d}', first + sent % posts))
  end
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %f, "bytes": %d, "p50_ms": %f, "p99_ms": %f, "statuses": %d, "sockets": %d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
