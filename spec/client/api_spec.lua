-- Every public name. A name that appears, disappears or moves fails here first, so that it is meant and goes into the
-- CHANGELOG; the README's promise of compatibility is about these.

local ampersand = require "ampersand"
local operations = require "ampersand.client.operations"
local VERBS = require("ampersand.client.resource").VERBS

local function sorted(list)
  table.sort(list)
  return list
end

-- The names of a table that callers are meant to use: no underscore before them but _VERSION.
local function names(t)
  local list = {}
  for name in pairs(t) do
    if not name:find "^_" or name == "_VERSION" then list[#list + 1] = name end
  end
  return sorted(list)
end

local function words(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return sorted(list)
end

local function a_client()
  return ampersand.new { api_key = "k", project = "p", integration = "i",
    transport = function() return { status = 200, body = "[]" } end }
end

-- In a Lua of its own: this one may have loaded libcurl long ago, and luv does not bear to be loaded twice.
local function alone(script)
  local pipe = assert(io.popen(("%s -e '%s' 2>&1"):format(os.getenv "LUA" or "lua", script)))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

-- An invalid argument's error lists the valid names: the way to see names that are data.
local function known(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  local list = {}
  for name in message:match "known are: (.*)$":gmatch "[%w_]+" do list[#list + 1] = name end
  return sorted(list)
end

describe("the public names of", function()
  it("the module, and the modules it loads at first use", function()
    local lazy = {}
    local function see(file)
      local name = file:match "^(.*)%.lua$"
      local found, loaded = pcall(function() return ampersand[name] end)
      if name and (not found or loaded ~= nil) then lazy[#lazy + 1] = name end
    end
    for file in require("lfs").dir "lua/ampersand" do see(file) end
    see "replay.lua" -- the other half of record
    assert.same(words "cache cancel gate json jwt metrics receiver record replay time webhook", sorted(lazy))
    local rest = {}
    for name in pairs(ampersand) do rest[name] = true end
    for _, name in ipairs(lazy) do rest[name] = nil end
    assert.same(words "_VERSION array assert get is_error load new null versions", names(rest))
    assert.is_nil(ampersand.no_such_module)
  end)

  local MODULES = {
    json = "array decode decoder each encode encoder is_array null",
    time = "format parse parse_http_date",
    webhook = "results sign verify",
    jwt = "MAX_TTL mint",
    cancel = "token",
    cache = "guarded layered memory redis shared",
    gate = "new",
    receiver = "new",
  }
  for name, expected in pairs(MODULES) do
    it("ampersand." .. name, function()
      assert.same(words(expected), names(require("ampersand." .. name)))
    end)
  end

  it("ampersand.loop", function()
    local expected = {
      cqueues = "forget inside park poll wake", luv = "forget inside park poll wake", copas = "inside park poll wake",
      frame = "new",
    }
    local text = alone [[for _, name in ipairs { "cqueues", "luv", "copas", "frame" } do
      local found, module = pcall(require, "ampersand.loop." .. name)
      for member in pairs(found and module or {}) do print(name, member) end
    end]]
    local found = {}
    for name, member in text:gmatch "(%w+)\t(%w+)\n" do found[name] = (found[name] or "") .. member .. " " end
    assert.equal("new ", found.frame, text)
    for name, members in pairs(found) do assert.same(words(expected[name]), words(members)) end
  end)

  it("a client", function()
    local class = getmetatable(a_client())
    assert.same(words "call close new parallel poll proxy request with", names(class)) -- new: ours alone
  end)

  it("a list and its views", function()
    local resource = getmetatable(a_client().installations)
    assert.same(words "count each first in_project list pages select stream where", names(resource))
    assert.equal(resource, getmetatable(a_client().installations:where { id = "a" }))
    local stream = getmetatable(a_client().installations:stream())
    assert.same(words "close next", names(stream))
  end)

  it("the verbs that are more than one operation", function()
    assert.same(words "edit explain undo watch", names(VERBS.installations))
    assert.same(words "wait", names(VERBS.operations))
    assert.same(words "deploy", names(VERBS.integrations))
    assert.same(words "installations integrations operations", names(VERBS))
  end)

  it("the resources (their verbs: the README's table and spec/client/operations_spec.lua)", function()
    assert.same(words [[api_keys billing_accounts claimed_domains connections consumers destinations event_topic_routes
      groups installations integrations jwt_keys oauth objects operations org_builders org_invites orgs projects
      provider_apps providers records revisions topic_destination_routes topics upload_urls users]], names(operations.all_lines()))
  end)

  it("an error", function()
    local _, err = ampersand.new { api_key = "k", base_url = "http://127.0.0.1:9", transport = function()
      return { status = 404, body = '{"title":"x"}', headers = { ["content-type"] = "application/problem+json" } }
    end }.projects:list()
    local fields = {}
    for name in pairs(err) do fields[#fields + 1] = name end
    assert.same(words "attempts body kind message method operation problem retryable sent status url", sorted(fields))
  end)

  it("the options of new", function()
    assert.same(words [[allow_insecure_http api_key base_url bearer big_integers ca_file ca_path client_cert client_key
      client_key_password connect_timeout headers http_proxy http_version insecure_skip_verify integration keepalive loop max_bytes max_connections
      max_depth max_element_bytes max_element_values max_values nulls on_event org project read_timeout region requests_per_second
      retry servers
      timeout transport unknown_fields user_agent]], known(ampersand.new, { qqqqqqqqqqqqqqqqqqqqqqqqqqqqqq = 1 }))
  end)

  it("the header", function()
    local found = {}
    for line in io.lines "include/ampersand.h" do
      local name = line:match "^%a.-([%w_]+)%(" or line:match "^#define ([%w_]+) "
      if name then found[#found + 1] = name end
    end
    assert.same(words [[AMPERSAND_VERSION ampersand_preload luaopen_ampersand_core luaopen_ampersand_crypto
      luaopen_ampersand_http]], sorted(found))
  end)
end)

describe("ampersand.versions", function()
  it("names ours, the Lua, libcurl and its TLS", function()
    local versions = ampersand.versions()
    assert.same(words "ampersand libcurl lua tls", names(versions))
    assert.equal(ampersand._VERSION, versions.ampersand)
    assert.truthy(versions.lua:find "^Lua")
    assert.truthy(versions.libcurl:find "^%d+%.%d+%.%d+$")
    assert.truthy(versions.tls:find "/%d")
  end)

  it("is what loads libcurl, not require; does without where that does not load, and inside nginx", function()
    assert.equal("nil nil false\nnil nil false\nstring string true\n", alone [[
      local function try()
        for name in pairs(package.loaded) do
          if name:find "^ampersand" then package.loaded[name] = nil end
        end
        local ampersand = require "ampersand"
        assert(package.loaded["ampersand.http"] == nil)
        local versions = ampersand.versions()
        assert(versions.ampersand and versions.lua)
        local libcurl, tls, http = type(versions.libcurl), type(versions.tls), type(package.loaded["ampersand.http"])
        print(libcurl .. " " .. tls .. " " .. tostring(http == "table"))
      end
      ngx = { get_phase = function() return "content" end }
      try()
      ngx, package.preload["ampersand.http"] = nil, function() error "no libcurl" end
      try()
      package.preload["ampersand.http"] = nil
      try()]])
  end)
end)
