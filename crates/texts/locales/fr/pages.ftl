# Toutes les pages

pages-error = Erreur :
pages-again = Réessayer
pages-support = Besoin d’aide ?
pages-language = Langue :

pages-forgot-title = Mot de passe oublié ?
pages-forgot-intro = Veuillez saisir l’adresse e-mail de votre compte chez { $shop }. Nous vous enverrons un lien pour choisir un nouveau mot de passe.
pages-forgot-email = Adresse e-mail
pages-forgot-missing = Veuillez saisir votre adresse e-mail.
pages-forgot-invalid = Veuillez saisir l’adresse e-mail sous la forme nom@example.com.
pages-forgot-submit = Envoyer le lien
pages-forgot-login = Retour à la connexion

pages-sent-title = Consultez vos e-mails
pages-sent-intro = S’il existe chez { $shop } un compte avec cette adresse, vous recevrez un e-mail contenant un lien dans quelques minutes.
pages-sent-life = Le lien ne fonctionne qu’une fois. Il est valable { $life }.
pages-sent-nothing = Rien reçu ? Veuillez regarder aussi dans les courriers indésirables et vérifier que vous avez saisi l’adresse de votre compte.
pages-sent-again = Saisir de nouveau l’adresse

pages-code-intro = Vous lisez l’e-mail sur un autre appareil ? Saisissez ici le code qu’il contient.
pages-code-label = Code reçu par e-mail
pages-code-hint = 8 lettres et chiffres, en majuscules ou en minuscules.
pages-code-wrong = Le code n’est pas valide. Veuillez le vérifier ou utiliser le lien contenu dans l’e-mail.
pages-code-submit = Continuer

pages-reset-title = Choisissez un nouveau mot de passe
pages-reset-account = Pour le compte { $email }
pages-reset-password = Nouveau mot de passe
pages-reset-show = Afficher le mot de passe
pages-reset-submit = Enregistrer le mot de passe
pages-reset-missing = Veuillez saisir un nouveau mot de passe.
pages-reset-too-long = Le mot de passe est trop long. Veuillez utiliser { $count } caractères au maximum.
pages-reset-unusable = Le mot de passe contient un caractère qui ne peut pas être utilisé.

pages-done-title = Votre mot de passe a été modifié
pages-done-now = Vous pouvez maintenant vous connecter avec votre nouveau mot de passe.
pages-done-sessions = Vous devez vous reconnecter sur tous vos appareils.
pages-done-login = Se connecter

pages-lost-title = Veuillez rouvrir le lien
pages-lost-why = Cette page a besoin du lien complet de l’e-mail. Veuillez cliquer dessus dans l’e-mail ou le copier en entier.
pages-lost-cookies = Vous retombez toujours sur cette page ? Veuillez alors autoriser les cookies pour celle-ci ou ouvrir le lien dans un autre navigateur.

pages-dead-title = Ce lien ne fonctionne plus
pages-dead-why = Il a été utilisé, désactivé ou remplacé par un lien plus récent, ou il a expiré.
pages-dead-used = Vous venez de choisir un nouveau mot de passe ? Vous pouvez vous connecter avec celui-ci.
pages-dead-again = Demander un nouveau lien
pages-dead-elsewhere = Sinon, veuillez demander un nouveau mot de passe sur la page de connexion.

pages-foreign-title = Veuillez envoyer de nouveau le formulaire
pages-foreign-why = Ce formulaire ne provenait pas de notre page. Pour votre sécurité, rien n’a été modifié.

pages-busy-title = Veuillez réessayer dans un instant
pages-busy-why = Notre service est très sollicité en ce moment. Rien n’a été modifié.

pages-too-many-title = Veuillez réessayer dans une minute
pages-too-many-why = Trop de formulaires ont été envoyés depuis votre connexion. Rien n’a été modifié.

pages-not-found-title = Cette page n’existe pas
pages-not-found-what = L’adresse n’a peut-être pas été copiée en entier. Si vous avez besoin d’un nouveau mot de passe, veuillez le demander sur la page de connexion.

pages-failed-title = Une erreur s’est produite
pages-failed-what = Rien n’a été modifié. Veuillez réessayer un peu plus tard.

pages-not-me-title = Vous n’avez pas demandé de nouveau mot de passe ?
pages-not-me-intro = Un nouveau mot de passe a été demandé pour votre compte chez { $shop }. Si ce n’était pas vous, vous pouvez désactiver ici le lien contenu dans l’e-mail.
pages-not-me-effect = Le lien cessera aussitôt de fonctionner. Votre mot de passe restera inchangé.
pages-not-me-cooldown = Ensuite, personne ne pourra demander de nouveau mot de passe sur cette page pendant un certain temps : { $span }.
pages-not-me-submit = Désactiver le lien

pages-disavowed-title = Le lien ne fonctionne plus
pages-disavowed-what = Votre mot de passe n’a pas été modifié. Vous n’avez rien d’autre à faire.

pages-misused-title = Le lien a déjà été utilisé
pages-misused-what = Il a servi à modifier votre mot de passe chez { $shop }.
pages-misused-now = Si ce n’était pas vous, veuillez demander tout de suite un nouveau mot de passe. Modifiez aussi celui de votre messagerie : quelqu’un lit peut-être vos e-mails.
pages-misused-again = Demander un nouveau mot de passe

pages-restore-title = Annuler la modification de votre adresse e-mail ?
pages-restore-intro = L’adresse e-mail de votre compte chez { $shop } a été modifiée. Si ce n’était pas vous, vous pouvez annuler ici.
pages-restore-effect = Votre compte retrouvera l’adresse à laquelle nous avons envoyé le lien. Son mot de passe cessera de fonctionner, tous les appareils seront déconnectés, et vous recevrez un e-mail avec un lien pour choisir un nouveau mot de passe.
pages-restore-submit = Annuler la modification
pages-restored-title = Votre adresse e-mail a été rétablie
pages-restored-what = Votre ancien mot de passe ne fonctionne plus. Dans quelques minutes, vous recevrez un e-mail avec un lien pour en choisir un nouveau.
pages-unrestorable-why = Il a expiré, ou la modification a été annulée autrement. Si quelqu’un d’autre utilise votre compte, veuillez prévenir { $shop }.
