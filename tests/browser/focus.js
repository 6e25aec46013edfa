// The focus of the keyboard.
import assert from 'node:assert/strict'

const MOST_STOPS = 40

/** Presses Tab until the target has the focus, which must be visible at every stop. */
export async function tabTo(page, target) {
  await target.waitFor()
  for (let stops = 0; stops < MOST_STOPS; stops += 1) {
    await page.keyboard.press('Tab')
    if (await isFocused(target)) return assertVisible(target)
  }
  assert.fail(`${MOST_STOPS} times Tab does not lead to ${target}`)
}

/** Whether the target has the focus. */
export function isFocused(target) {
  return target.evaluate((element) => element === element.ownerDocument.activeElement && element.ownerDocument.hasFocus())
}

/** WCAG 2.4.7 and 2.4.11: an outline of 2 px or the browser's default, and nothing over it. */
export async function assertVisible(target) {
  const seen = await target.evaluate((element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    const { left, top, width, height } = element.getBoundingClientRect()
    const onTop = element.ownerDocument.elementFromPoint(left + width / 2, top + height / 2)
    return { outlineStyle, outlineWidth: parseFloat(outlineWidth), uncovered: element.contains(onTop) }
  })
  assert.ok(seen.outlineStyle === 'auto' || (seen.outlineStyle !== 'none' && seen.outlineWidth >= 2), JSON.stringify(seen))
  assert.ok(seen.uncovered, `something is over ${target}`)
}
