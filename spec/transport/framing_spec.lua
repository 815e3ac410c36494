-- The list of framing rules against libcurl, over TCP and over TLS, whole and as a stream.

local curl = require "ampersand.transport.curl"
local fault = require "support.fault"
local rows = require "transport.framing"

local major, minor = require("ampersand.http").versions().libcurl:match "(%d+)%.(%d+)"
local UNFOLDS = major * 100 + minor >= 818

describe("framing, by libcurl", function()
  local server, settings, secure
  setup(function()
    server = fault.start()
    settings = { http_proxy = "", ca_file = server.directory .. "/ca.pem", http_version = "1.1" }
  end)
  teardown(function() server:stop() end)

  -- Over TCP each row has a connection of its own. Over TLS, where that is most of the work, it takes the one of the row
  -- before, unless the server has ended that after a whole answer: it may still be dying.
  -- "STATUS BODY", or the kind of the error.
  local function outcome(transport, path, port, row, stream)
    local res, _, kind = transport:request {
      method = row.method or "GET", url = server:url(path, port), timeout = row[4] == "timeout" and 0.05 or 10, stream = stream,
      resend = false,
    }
    if not res then return kind end
    local parts = {}
    while true do
      local chunk, _, broken = res.read()
      if not chunk then
        res.close(not broken)
        return broken or res.status .. " " .. table.concat(parts)
      end
      parts[#parts + 1] = chunk
    end
  end

  it("has a rule for many cases, each once", function()
    local seen = {}
    for _, row in ipairs(rows) do
      assert.is_nil(seen[row[1]], row[1])
      seen[row[1]] = true
    end
    assert.is_true(#rows >= 120)
  end)

  for i, row in ipairs(rows) do
    it(row[1], function()
      for _, port in ipairs { "plain", "good" } do
        for _, stream in ipairs { false, true } do
          local expected = port == "good" and row.tls or row[4]
          if row.curl then expected = row.curl[1] end
          if row.newer and UNFOLDS then expected = row.newer end
          local transport = port == "good" and secure or curl.new(settings)
          local where = ("%s%s"):format(port, stream and ", stream" or "")
          local found = outcome(transport, "framing/" .. i, port, row, stream)
          assert.equal(expected, found, where)
          if row.next then assert.equal(row.next, outcome(transport, "framing/next", port, row, stream), where) end
          if port == "good" then secure = (row[3] == "stay" or not found:find "^%d") and transport end
          if transport ~= secure then transport:close() end
        end
      end
    end)
  end
end)
