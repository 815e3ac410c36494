-- What is loaded when: most of a short program's time is spent on compiling what it requires.

local core = require "ampersand.core"

-- The modules that a Lua of its own has loaded after a script, without our prefix.
local function loaded_by(script)
  local command = ("%s -e '%s for name in pairs(package.loaded) do print(name) end' 2>&1"):format(
    os.getenv "LUA" or "lua", script)
  local pipe = assert(io.popen(command))
  local names = {}
  for line in pipe:lines() do
    local name = line:match "^ampersand%.(.*)$"
    if name then names[#names + 1] = name end
  end
  pipe:close()
  table.sort(names)
  return table.concat(names, " ")
end

-- The beginning of a script: a client whose server answers so. Its transport is a function, and what makes that one
-- (client_extras) no client without has to load.
local function client(answer)
  return ([[local client = require "ampersand".new { api_key = "k", project = "p", integration = "i",
    transport = function() return { headers = {}, %s } end } ]]):format(answer)
end

describe("loading", function()
  it("is as good as nothing for require", function()
    assert.equal("core util.later version", loaded_by [[require "ampersand"]])
  end)

  it("is what a list needs, and no more", function()
    assert.equal("client client.client_extras client.list client.operations client.params client.request client.response client.sender core util.argcheck util.later version",
      loaded_by(client 'status = 200, body = "[]"' .. "assert(client.installations:list())"))
  end)

  it("brings the words for misuse and failure when there is one", function()
    assert.equal("client client.client_extras client.list client.operations client.params client.request client.sender core util.argcheck util.later version",
      loaded_by(client "" .. "assert(not pcall(client.installations.list, client.installations, { colour = 1 }))"))
    local names = loaded_by(client 'status = 404, body = ""' .. "assert(not client.installations:list())")
    assert.truthy(names:find "failure", names)
    assert.truthy(names:find "retry", names)
  end)

  it("of libcurl binds its functions as they are called", function()
    assert.is_false(core.bind_lazily "/nowhere/at/all.so")
    assert.has_error(function() core.bind_lazily() end)
  end)
end)
