-- Names of fields on the command line: near misses are refused, names that no element had are noted.

local command = require "support.command"

local server, session

local function run(line, more, input) return session:call(line, more, input) end

setup(function() server, session = command.open { installations = 30 } end)
teardown(function() command.close(server, session) end)

-- How many requests of lists the server has seen.
local function asked()
  return server:requests().count
end

describe("a watch whose conditions no element can meet", function()
  it("ends with 1 as soon as that can be seen, also where the API did not answer at first", function()
    for failures = 0, 2 do
      server:control("faults", { on = "listInstallations", status = 500, next = failures })
      local result = run "ampersand installations watch --tries 1 --polls 8 --interval 0.01 --where zorblax=1 --fail-if any"
      assert.equal(1, result.code, failures .. result.err)
      assert.truthy(result.err:find("no installation has zorblax: --fail-if cannot decide", 1, true), result.err)
    end
  end)
end)

describe("a body from an editor of Windows", function()
  it("may begin with a byte order mark", function()
    local result = run("ampersand topics create --body - --json", nil, '\239\187\191{"name":"marked"}\r\n')
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find('"marked"', 1, true), result.out)
  end)
end)

describe("a field called as a word of the library's conditions", function()
  it("is a name as any other", function()
    for _, condition in ipairs { "any=1", "all=1,2", "any", "all!=x", "any^=x" } do
      local result = run(("ampersand installations list --count --where '%s'"):format(condition))
      assert.same({ 0, "0\n", ("no installation has %s\n"):format(condition:match "%l+") },
        { result.code, result.out, result.err })
    end
    assert.equal("30\n", run("ampersand installations list --count --where '!any'").out)
  end)
end)

describe("a near miss of a known field", function()
  local CASES = {
    ["installations list --where heathStatus=unhealthy"] = { "--where", "heathStatus", "healthStatus" },
    ["installations list --where '!connection.stauts'"] = { "--where", "connection.stauts", "connection.status" },
    ["installations list --where 'createTme>=2024-01-01' --count"] = { "--where", "createTme", "createTime" },
    ["installations list --where a=1 --where group.groupNme=x"] = { "--where", "group.groupNme", "group.groupName" },
    ["installations list --select idd"] = { "--select", "idd", "id" },
    ["installations list --select id,connection.provder --csv"] = { "--select", "connection.provder", "connection.provider" },
    ["installations list --sort createdTime"] = { "--sort", "createdTime", "createTime" },
    ["installations list --template '{idd}'"] = { "--template", "idd", "id" },
    ["installations get installation-123 --select healthStats"] = { "--select", "healthStats", "healthStatus" },
    ["installations get installation-123 --template '{grup.groupName}'"] = { "--template", "grup.groupName", "group.groupName" },
    ["installations watch --polls 1 --where healthStats=x"] = { "--where", "healthStats", "healthStatus" },
    ["installations edit --dry-run --where healthStats=x --set content.proxy.enabled:=true"] = { "--where", "healthStats", "healthStatus" },
    ["installations edit --dry-run --set content.proxi.enabled:=true"] = { "--set", "config.content.proxi.enabled", "config.content.proxy.enabled" },
    ["installations read contact -f groupRef=g -f mode=async -f sinceTimestap=2024"] = { "the body", "sinceTimestap", "sinceTimestamp" },
    ["topics create -f nam=x"] = { "the body", "nam", "name" },
    ["providers list --where authTyp=oauth2"] = { "--where", "authTyp", "authType" },
    ["operations list installation-123 --where staus=failure"] = { "--where", "staus", "status" },
  }

  it("is refused before anything is asked, with the name that was meant", function()
    for script, words in pairs(CASES) do
      local before = asked()
      local result = run("ampersand " .. script)
      assert.equal(2, result.code, script .. result.err)
      assert.equal(("ampersand: %s: unknown field %q; did you mean %q?\n"):format(words[1], words[2], words[3]), result.err, script)
      assert.equal("", result.out)
      assert.equal(before, asked(), script)
    end
  end)

  it("passes with --unknown-fields ignore, should the API have grown such a field", function()
    for script in pairs(CASES) do
      if not script:find "^topics" and not script:find " edit " then
        local result = run("ampersand --unknown-fields ignore " .. script)
        assert.is_nil(result.err:find("did you mean", 1, true), script .. result.err)
      end
    end
    assert.equal(2, run("ampersand installations list --unknown-fields all").code)
  end)
end)

describe("a field that resembles nothing", function()
  it("passes, and is noted when no element had it", function()
    for script, noted in pairs {
      ["--where flavour=x"] = "no installation has flavour\n", ["--where flavour=x --count"] = "no installation has flavour\n",
      ["--select id,flavour --csv"] = "no installation has flavour\n", ["--sort flavour --select id"] = "no installation has flavour\n",
      ["--template '{id} {colour}{flavour}'"] = "no installation has colour, flavour\n",
      ["--where config.content.read.objects.*.flavour=x"] = "no installation has config.content.read.objects.*.flavour\n",
      ["--select config.content.read.objects.*.objectName --ndjson"] = "", ["--where healthStatus=none --count"] = "",
      ["--select connection.providerApp.id --where id=installation-123 --ndjson"] = false,
    } do
      local result = run("ampersand installations list " .. script)
      assert.equal(0, result.code, script .. result.err)
      if noted then assert.equal(noted, result.err:gsub("^no installation fits the conditions\n", ""), script) end
      assert.equal("", run("ampersand installations list --quiet " .. script).err)
    end
    assert.equal("no provider has flavour\n", run("ampersand providers list --where flavour=x --count").err)
    assert.equal("no installation has flavour\n", run("ampersand installations get installation-123 --select flavour").err)
  end)

  it("is an error where a decision hangs on it", function()
    for _, script in ipairs {
      "list --where flavour=x --fail-if any", "list --where flavour=x --fail-if empty", "list --where flavour=x --fail-if any --count",
      "list --where flavour=x --fail-if unhealthy --quiet", "watch --where flavour=x --fail-if any --polls 1",
      "edit --where flavour=x --dry-run --set content.proxy.enabled:=true",
      "edit --where '!flavour' --dry-run --set content.proxy.enabled:=true",
    } do
      local result = run("ampersand installations " .. script)
      assert.equal(1, result.code, script .. result.err)
      assert.truthy(result.err:find("no installation has flavour: ", 1, true), result.err)
    end
    assert.equal(0, run("ampersand installations list --where id=none --fail-if any --quiet").code)
    assert.equal(0, run("ampersand installations edit --where id=none --dry-run --set content.proxy.enabled:=true").code)
    assert.equal(0, run("ampersand installations list --group-ref none --where flavour=x --fail-if any").code, "an empty list proves nothing")
  end)
end)
