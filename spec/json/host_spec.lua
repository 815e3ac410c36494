-- Allocators that fail, and doubles against strtod: a small C program does it, see spec/support/json_host.c. Here every
-- third allocation fails; `make check-json` lets each of them fail.

-- Each failure has a Lua of its own: freed pages are kept for the next one, since fresh ones take longer than the rest.
local KEEP_PAGES = "MALLOC_TRIM_THRESHOLD_=100000000 MALLOC_MMAP_THRESHOLD_=100000000 MALLOC_TOP_PAD_=16000000 "

describe("JSON in a C host", function()
  it("survives allocations that fail, and reads numbers as strtod does", function()
    local make = KEEP_PAGES .. "LD_PRELOAD= STEP=3 make -s check-json DOUBLES=20000 LUA_VERSION="
      .. (os.getenv "LUA_VERSION" or "5.4") .. " 2>&1"
    local pipe = io.popen(make)
    local said = pipe:read "*a"
    pipe:close()
    assert.truthy(said:find("twice in a row: no leak, no crash", 1, true), said)
    assert.truthy(said:find("20000 literals equal strtod, 20000 doubles printed read back equal", 1, true), said)
  end)
end)
