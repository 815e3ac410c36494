local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local diff = require "ampersand.fleet.diff"
local mask = require "ampersand.fleet.update_mask"

local function config()
  return assert(core.decode [[{
    "id": "config-1", "revisionId": "r", "createdBy": "builder:b",
    "content": {
      "provider": "salesforce", "proxy": {"enabled": true},
      "read": {"objects": {
        "contact": {"objectName": "contact", "schedule": "0 * * * *", "selectedFields": {"email": true}, "note": null},
        "odd.name": {"objectName": "odd.name", "fieldFilters": []}}},
      "write": {"objects": {"lead": {"objectName": "lead"}, "deal": {"objectName": "deal"}}}
    }}]])
end

local function paths(changes)
  local out = {}
  for i, change in ipairs(changes) do out[i] = change.path end
  return table.concat(out, " ")
end

-- Compares after `fn`, and checks that the changes lead from one to the other and back.
local function compare(fn)
  local before, after = config(), config()
  fn(after, after.content)
  local changes, what = mask.compare(before, after)
  if changes then
    assert.is_true(deep.equal(after, mask.apply({ config = before }, changes, "after")))
    assert.is_true(mask.holds({ config = before }, changes, "before"))
    assert.equal(#changes == 0, mask.holds({ config = before }, changes, "after"))
    if not what then
      assert.is_true(deep.equal(before, mask.apply({ config = after }, changes, "before")))
    end
  end
  return changes, what
end

describe("the update mask", function()
  it("is empty when nothing changed, even in a copy", function()
    assert.same({}, compare(function() end))
  end)

  it("names only the objects that changed", function()
    assert.equal("config.content.read.objects.contact", paths(compare(function(_, content)
      content.read.objects.contact.schedule = "1 1 * * *"
    end)))
    assert.equal("config.content.read.objects.odd.name", paths(compare(function(_, content)
      content.read.objects["odd.name"].disabled = true
    end)))
    assert.equal("config.createdBy config.content.write.objects.deal config.content.proxy.enabled",
      paths(compare(function(own, content)
        own.createdBy = "builder:c"
        content.write.objects.deal.deletionSettings = { enabled = true }
        content.proxy.enabled = false
      end)))
  end)

  it("names the whole map where an object is taken out of it", function()
    local changes = compare(function(_, content) content.write.objects.lead = nil end)
    assert.equal("config.content.write.objects", paths(changes))
    assert.same({ deal = { objectName = "deal" } }, changes[1].after)
  end)

  it("knows what the API could not undo", function()
    local function irreversible(fn)
      local changes, what = compare(fn)
      assert.equal(1, #changes)
      return what
    end
    assert.equal("config.content.read.objects.lead", irreversible(function(_, content)
      content.read.objects.lead = { objectName = "lead" }
    end))
    assert.equal("config.content.subscribe", irreversible(function(_, content)
      content.subscribe = { objects = { lead = { objectName = "lead" } } }
    end))
    assert.is_nil(irreversible(function(_, content) content.write.objects.task = { objectName = "task" } end))
  end)

  it("refuses, with words, what the API has no mask for", function()
    local function refused(fn)
      local changes, problem = compare(fn)
      assert.is_nil(changes)
      return problem
    end
    assert.matches("read.objects.contact cannot be removed", refused(function(_, content)
      content.read.objects.contact = nil
    end), 1, true)
    assert.matches("config.content.provider cannot be changed", refused(function(_, content)
      content.provider = "hubspot"
    end), 1, true)
    assert.matches("config.createdBy must be a text", refused(function(own) own.createdBy = 7 end), 1, true)
    assert.matches("config.revisionId cannot be changed", refused(function(own) own.revisionId = "s" end), 1, true)
    assert.matches("config.content.write cannot be removed", refused(function(_, content)
      content.write = nil
    end), 1, true)
    assert.matches("proxy.enabled cannot be removed", refused(function(_, content) content.proxy = {} end), 1, true)
    assert.matches("config.content.read.mode cannot be changed", refused(function(_, content)
      content.read.mode = "x"
    end), 1, true)
    assert.matches("config.content.subscribe cannot be changed", refused(function(_, content)
      content.subscribe = { objects = {} }
    end), 1, true)
    assert.matches("must stay an object", refused(function(own) own.content = core.null end), 1, true)
  end)

  it("makes the body that the API wants", function()
    local body = mask.body(compare(function(_, content)
      content.read.objects["odd.name"].disabled = true
      content.write.objects = {}
    end))
    assert.equal('{"installation":{"config":{"content":{"read":{"objects":{"odd.name":{"disabled":true,'
      .. '"fieldFilters":[],"objectName":"odd.name"}}},"write":{"objects":{}}}}},'
      .. '"updateMask":["config.content.read.objects.odd.name","config.content.write.objects"]}',
      core.encode(body, { sort_keys = true }))
  end)

  it("refuses a number that this Lua has rounded", function()
    local before = core.decode '{"content":{"read":{"objects":{"a":{"n":9007199254740993,"s":1}}}}}'
    local after = deep.copy(before)
    after.content.read.objects.a.s = 2
    local changes, problem = mask.compare(before, after)
    if core.encode(before):find("993", 1, true) then -- this Lua has 64-bit integers
      assert.equal(1, #changes)
    else
      assert.matches("beyond 2^53", problem, 1, true)
    end
  end)
end)

describe("the diff", function()
  it("shows leaves, added, removed and changed, on one line each", function()
    local a = core.decode '{"x":{"y":1,"z":[1,2]},"gone":null,"same":{"a":[]}}'
    local b = core.decode '{"x":{"y":2,"z":[1,3],"new":"a\\u001b[31m"},"same":{"a":[]}}'
    local lines = {}
    for i, change in ipairs(diff.list(a, b)) do lines[i] = diff.line(change) end
    assert.same({ "- gone: null", '+ x.new: "a\\u001b[31m"', "~ x.y: 1 -> 2", "~ x.z: [1,2] -> [1,3]" }, lines)
  end)

  it("copies without sharing, and keeps what marks an array", function()
    local value = core.decode '{"a":[],"b":{"c":null}}'
    local copy = deep.copy(value)
    copy.b.c = 1
    assert.equal(core.null, value.b.c)
    assert.equal('{"a":[],"b":{"c":null}}', core.encode(deep.copy(value), { sort_keys = true }))
    assert.is_false(deep.equal(value, copy))
    assert.is_false(deep.equal({ a = 1 }, { a = 1, b = 2 }))
    assert.is_false(deep.equal({ a = 1, b = 2 }, { a = 1 }))
  end)

  it("lets nothing through that a terminal would act on, nor does the plan", function()
    local bad = "a\27b\194\155c\226\128\174d\226\129\166e\226\128\143f"
    assert.equal('+ a?b?c?d?e?f: "a\\u001bb?c?d?e?f"', diff.line { path = bad, after = bad })
    local plan = require "ampersand.fleet.plan"
    assert.equal("a?b?c?d?e?f  a?b?c?d?e?f\n  updateMask: a?b?c?d?e?f",
      plan.show({ id = bad, group = { groupName = bad }, changes = { { path = bad } } }, {}))
    assert.equal("a?b?c?d?e?f\n  ! a?b?c?d?e?f", plan.show({ id = bad, changes = {}, problem = bad }, {}))
  end)

  it("cuts long values, never inside a character", function()
    local line = diff.line { path = "a", after = ("ü"):rep(200) }
    assert.truthy(#line < 180)
    assert.matches("ü …$", line)
  end)
end)
