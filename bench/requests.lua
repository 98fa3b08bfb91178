-- For wrk: sends the requests of a file, each thread a share of its own, and prints what came of it as one JSON line.
--
-- Arguments: file, method, headers ("name: value" a line), threads. A line of the file is a path, a body and a
-- header of this request alone, with tabs between them; the latter two may be empty.
local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(args)
   prepared, at = {}, 0
   local line_number, shares = 0, tonumber(args[4])
   for line in io.lines(args[1]) do
      if line_number % shares == number then
         local path, body, own = line:match("^([^\t]+)\t([^\t]*)\t(.*)$")
         local headers = {}
         for name, value in (args[3] .. "\n" .. own):gmatch("([^:\n]+): ([^\n]+)") do headers[name] = value end
         prepared[#prepared + 1] = wrk.format(args[2], path, headers, body ~= "" and body or nil)
      end
      line_number = line_number + 1
   end
end

function request()
   at = at % #prepared + 1
   return prepared[at]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format('{"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f}\n',
      summary.requests, summary.duration / 1e6,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
