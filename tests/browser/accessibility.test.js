// axe on every page: WCAG 2.0 to 2.2, A and AA, and its best practices; in light and dark.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { browserTest } from './browser.js'
import { hosted, others, storefront } from './sights.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice']

for (const { name, open } of [...storefront, ...hosted, ...others]) {
  browserTest(`axe finds nothing: ${name}`, {}, async ({ page }) => {
    await open(page)
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      assert.deepEqual(await violations(page), [], colorScheme)
    }
  })
}

async function violations(page) {
  // By the debugger's protocol, as the pages' own policy lets no such script in.
  await page.evaluate(AXE)
  const found = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), RULES)
  assert.ok(found.passes.length > 10, 'axe has looked')
  return found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => `${node.html}\n${node.failureSummary}`) }))
}
