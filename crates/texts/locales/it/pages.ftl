# Tutte le pagine

pages-error = Errore:
pages-again = Riprova
pages-support = Ha bisogno di aiuto?
pages-language = Lingua:

pages-forgot-title = Ha dimenticato la password?
pages-forgot-intro = Inserisca l’indirizzo e-mail del Suo account { $shop }. Le invieremo un link per scegliere una nuova password.
pages-forgot-email = Indirizzo e-mail
pages-forgot-missing = Inserisca il Suo indirizzo e-mail.
pages-forgot-invalid = Inserisca l’indirizzo e-mail nel formato nome@example.com.
pages-forgot-submit = Invia il link
pages-forgot-login = Torna all’accesso

pages-sent-title = Controlli la posta
pages-sent-intro = Se esiste un account { $shop } con questo indirizzo, tra qualche minuto riceverà un’e-mail con un link.
pages-sent-life = Il link funziona una sola volta ed è valido per { $life }.
pages-sent-nothing = Non è arrivato nulla? Guardi anche nella cartella dello spam e verifichi di aver inserito l’indirizzo del Suo account.
pages-sent-again = Inserisci di nuovo l’indirizzo

pages-code-intro = Legge l’e-mail su un altro dispositivo? Inserisca qui il codice che contiene.
pages-code-label = Codice dell’e-mail
pages-code-hint = 8 lettere e cifre, maiuscole o minuscole.
pages-code-wrong = Il codice non è valido. Lo controlli o utilizzi il link contenuto nell’e-mail.
pages-code-submit = Continua

pages-reset-title = Scelga una nuova password
pages-reset-account = Per l’account { $email }
pages-reset-password = Nuova password
pages-reset-show = Mostra password
pages-reset-submit = Salva password
pages-reset-missing = Inserisca una nuova password.
pages-reset-too-long = La password è troppo lunga. Utilizzi al massimo { $count } caratteri.
pages-reset-unusable = La password contiene un carattere che non si può utilizzare.

pages-done-title = La Sua password è stata modificata
pages-done-now = Ora può accedere con la nuova password.
pages-done-sessions = Dovrà accedere di nuovo su tutti i Suoi dispositivi.
pages-done-login = Accedi

pages-lost-title = Apra di nuovo il link
pages-lost-why = Questa pagina ha bisogno del link completo dell’e-mail. Vi faccia clic nell’e-mail oppure lo copi per intero.
pages-lost-cookies = Continua a vedere questa pagina? Allora consenta i cookie per questa pagina oppure apra il link in un altro browser.

pages-dead-title = Questo link non funziona più
pages-dead-why = È stato utilizzato, disattivato o sostituito da uno più recente, oppure è scaduto.
pages-dead-used = Ha appena scelto una nuova password? Allora può accedere con quella.
pages-dead-again = Richiedi un nuovo link
pages-dead-elsewhere = Altrimenti richieda una nuova password nella pagina di accesso.

pages-foreign-title = Invii di nuovo il modulo
pages-foreign-why = Questo modulo non proveniva dalla nostra pagina. Per la Sua sicurezza non è stato modificato nulla.

pages-busy-title = Riprovi tra un momento
pages-busy-why = Al momento riceviamo molte richieste. Non è stato modificato nulla.

pages-too-many-title = Riprovi tra un minuto
pages-too-many-why = Dalla Sua connessione sono stati inviati troppi moduli. Non è stato modificato nulla.

pages-not-found-title = Questa pagina non esiste
pages-not-found-what = Forse l’indirizzo non è stato copiato per intero. Se Le serve una nuova password, la richieda nella pagina di accesso.

pages-failed-title = Si è verificato un errore
pages-failed-what = Non è stato modificato nulla. Riprovi più tardi.

pages-not-me-title = Non ha richiesto una nuova password?
pages-not-me-intro = È stata richiesta una nuova password per il Suo account { $shop }. Se non è stato Lei a richiederla, qui può disattivare il link contenuto nell’e-mail.
pages-not-me-effect = Il link smetterà subito di funzionare. La Sua password resterà invariata.
pages-not-me-cooldown = Dopo, per un certo tempo nessuno potrà richiedere una nuova password in questa pagina: { $span }.
pages-not-me-submit = Disattiva il link

pages-disavowed-title = Il link non funziona più
pages-disavowed-what = La Sua password non è stata modificata. Non deve fare altro.

pages-misused-title = Il link è già stato utilizzato
pages-misused-what = Con questo link è stata modificata la Sua password di { $shop }.
pages-misused-now = Se non è stato Lei a farlo, richieda subito una nuova password. Cambi anche la password della Sua casella e-mail: qualcuno potrebbe leggere i Suoi messaggi.
pages-misused-again = Richiedi una nuova password

pages-restore-title = Annullare la modifica del Suo indirizzo e-mail?
pages-restore-intro = L’indirizzo e-mail del Suo account { $shop } è stato modificato. Se non riconosce questa operazione, qui può annullarla.
pages-restore-effect = Il Suo account riavrà l’indirizzo a cui abbiamo inviato il link. La password smetterà di funzionare, tutti i dispositivi saranno disconnessi e riceverà un’e-mail con un link per scegliere una nuova password.
pages-restore-submit = Annulla la modifica
pages-restored-title = Il Suo indirizzo e-mail è stato ripristinato
pages-restored-what = La vecchia password non funziona più. Tra pochi minuti riceverà un’e-mail con un link per sceglierne una nuova.
pages-unrestorable-why = È scaduto, oppure la modifica è stata annullata in altro modo. Se qualcun altro usa il Suo account, avvisi { $shop }.
