// The mailbox next to the shop: the mails that `rekey dev` has sent, the newest first. Only the demo has one.

const SHOWN = 6
const PAUSE = 1000
const box = document.querySelector('#mails')
const known = new Set()

/**
 * Shows mails as they arrive, and opens those that `concerns` accepts. Of these, `found` is called with the newest one that was
 * there before, and `arrived` with each new one.
 */
export async function watchMailbox({ concerns, found, arrived }) {
  for (let first = true; ; first = false) {
    const fresh = document.hidden ? [] : await newMails().catch(() => [])
    const ours = fresh.filter(concerns)
    for (const mail of fresh) add(mail, ours.includes(mail))
    if (first && ours.length) found(ours.at(-1))
    for (const mail of first ? [] : ours) {
      document.querySelector('#mail-notice').textContent = `New mail: ${mail.subject}`
      await arrived(mail)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

/** Returns the newest mails on the first call, then all new ones; the oldest first. */
async function newMails() {
  const mails = await (await fetch('/dev/mailbox.json')).json()
  const fresh = known.size ? mails.filter(({ id }) => !known.has(id)) : mails.slice(0, SHOWN)
  for (const { id } of mails) known.add(id)
  return fresh.map((mail) => ({ ...mail, link: linkIn(mail.text) })).reverse()
}

/** Returns the link to set a new password, which has the reset's id and its token. */
function linkIn(text) {
  const urls = (text.match(/https?:\/\/\S+/g) ?? []).filter((url) => URL.canParse(url)).map((url) => new URL(url))
  return urls.find(({ pathname, searchParams }) => searchParams.has('token') && pathname !== '/not-me')
}

/** Adds a mail at the top. One that is open closes the others, and is kept however many follow. */
function add({ id, subject, to, link }, open) {
  const copy = document.querySelector('#mail').content.cloneNode(true)
  const part = (name) => copy.querySelector(`.${name}`)
  part('subject').textContent = subject
  part('to').textContent = `to ${to}`
  part('frame').title = `Mail: ${subject}`
  part('frame').src = `/dev/mailbox/${id}`
  part('doors').hidden = !link
  if (link) {
    part('hosted').href = link
    part('own').href = `/new-password${link.search}`
  }
  for (const other of open ? box.children : []) other.open = false
  copy.querySelector('details').open = open
  box.prepend(copy)
  for (const old of [...box.children].slice(SHOWN)) if (!old.open) old.remove()
  document.querySelector('#no-mail').hidden = true
}
