-- Which way requests take: proxies of the environment and of the options.

local ampersand = require "ampersand"
local build = require "support.build"
local fault = require "support.fault"

describe("a proxy", function()
  local server
  setup(function() server = fault.start() end)
  teardown(function() server:stop() end)

  -- Requests each URL through one transport, with proxies in the environment that refuse connections, and perhaps one as an
  -- option that does so.
  local function outcomes(urls, no_proxy, option)
    local proxy = "http://127.0.0.1:1"
    local output, code = build.run([[
      local transport = require("ampersand.transport.curl").new { connect_timeout = 5, http_proxy = os.getenv "OPTION" }
      for i = 1, #arg do
        local res, _, kind = transport:request { method = "GET", url = arg[i], timeout = 5 }
        print(res and res.status or kind)
        if res then res.close(true) end
      end
    ]], server.directory, {
      arguments = "'" .. table.concat(urls, "' '") .. "'",
      wrap = ("export http_proxy=%s https_proxy=%s ALL_PROXY=%s NO_PROXY=%s no_proxy= %s; %%s"):format(proxy, proxy, proxy,
        no_proxy or "", option and "OPTION=" .. proxy or ""),
    })
    assert.equal(0, code, output)
    local found = {}
    for line in output:gmatch "%S+" do found[#found + 1] = line end
    return found
  end

  it("of the environment is never used for loopback, by name or address, also on a handle used before", function()
    local local_url = server:url "items"
    local named = local_url:gsub("127%.0%.0%.1", "localhost")
    local upper = local_url:gsub("127%.0%.0%.1", "LOCALHOST"):gsub("^http", "HTTP")
    local other = local_url:gsub("127%.0%.0%.1", "127.1")
    -- "connect": the proxy of the environment was asked
    assert.same({ "200", "connect", "200", "connect", "200", "200" },
      outcomes { local_url, "http://somewhere.invalid/", named, "https://somewhere.invalid/", upper, other })
  end)

  it("is not used for what the environment's no_proxy names, also where it is an option", function()
    for _, option in ipairs { false, true } do
      assert.same({ "connect", "resolve" }, outcomes({ "https://used.invalid/", "https://named.invalid/" }, "named.invalid", option))
    end
  end)

  it("that is an option reads plain http only where that is allowed", function()
    local function new(more)
      local options = { api_key = "k", base_url = server:url "v1", http_proxy = "http://127.0.0.1:1" }
      for name, value in pairs(more) do options[name] = value end
      return ampersand.new(options)
    end
    assert.error_matches(function() new {} end, "base_url is plain http, which would show the key to the proxy")
    assert.error_matches(function()
      new { base_url = "https://api.example.com", servers = { read = server:url "v1" } }
    end, "servers.read is plain http, which would show the key to the proxy")
    assert(new { allow_insecure_http = true })
    assert(new { http_proxy = "" })
    assert(new { base_url = "https://api.example.com" })
  end)
end)
