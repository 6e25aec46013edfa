# Todas as páginas

pages-error = Erro:
pages-again = Tentar novamente
pages-support = Precisa de ajuda?
pages-language = Idioma:

pages-forgot-title = Esqueceu a senha?
pages-forgot-intro = Digite o endereço de e-mail da sua conta em { $shop }. Enviaremos um link para você escolher uma nova senha.
pages-forgot-email = Endereço de e-mail
pages-forgot-missing = Digite o seu endereço de e-mail.
pages-forgot-invalid = Digite o endereço de e-mail no formato nome@example.com.
pages-forgot-submit = Enviar link
pages-forgot-login = Voltar ao login

pages-sent-title = Confira seu e-mail
pages-sent-intro = Se existir uma conta em { $shop } com este endereço, você receberá em alguns minutos um e-mail com um link.
pages-sent-life = O link funciona uma única vez e é válido por { $life }.
pages-sent-nothing = Não chegou nada? Olhe também na pasta de spam e confira se você digitou o endereço da sua conta.
pages-sent-again = Digitar o endereço de novo

pages-code-intro = Está lendo o e-mail em outro dispositivo? Digite aqui o código que está nele.
pages-code-label = Código do e-mail
pages-code-hint = 8 letras e números. Tanto faz usar maiúsculas ou minúsculas.
pages-code-wrong = O código não é válido. Confira-o ou use o link do e-mail.
pages-code-submit = Continuar

pages-reset-title = Escolha uma nova senha
pages-reset-account = Para a conta { $email }
pages-reset-password = Nova senha
pages-reset-show = Mostrar senha
pages-reset-submit = Salvar senha
pages-reset-missing = Digite uma nova senha.
pages-reset-too-long = A senha é longa demais. Use no máximo { $count } caracteres.
pages-reset-unusable = A senha contém um caractere que não pode ser usado.

pages-done-title = Sua senha foi alterada
pages-done-now = Agora você pode entrar com a nova senha.
pages-done-sessions = Você precisará entrar novamente em todos os seus dispositivos.
pages-done-login = Entrar

pages-lost-title = Abra o link novamente
pages-lost-why = Esta página precisa do link completo do e-mail. Clique nele no e-mail ou copie-o por inteiro.
pages-lost-cookies = Esta página continua aparecendo? Então permita cookies para ela ou abra o link em outro navegador.

pages-dead-title = Este link não funciona mais
pages-dead-why = Ele foi usado, desativado ou substituído por um mais recente, ou expirou.
pages-dead-used = Acabou de escolher uma nova senha? Então você pode entrar com ela.
pages-dead-again = Solicitar um novo link
pages-dead-elsewhere = Caso contrário, solicite uma nova senha na página de login.

pages-foreign-title = Envie o formulário novamente
pages-foreign-why = Este formulário não veio da nossa página. Para a sua segurança, nada foi alterado.

pages-busy-title = Tente novamente daqui a pouco
pages-busy-why = Estamos recebendo muitas solicitações no momento. Nada foi alterado.

pages-too-many-title = Tente novamente em um minuto
pages-too-many-why = Foram enviados formulários demais a partir da sua conexão. Nada foi alterado.

pages-not-found-title = Esta página não existe
pages-not-found-what = Talvez o endereço não tenha sido copiado por inteiro. Se você precisa de uma nova senha, solicite-a na página de login.

pages-failed-title = Algo deu errado
pages-failed-what = Nada foi alterado. Tente novamente mais tarde.

pages-not-me-title = Você não solicitou uma nova senha?
pages-not-me-intro = Foi solicitada uma nova senha para a sua conta em { $shop }. Se não foi você, aqui você pode desativar o link do e-mail.
pages-not-me-effect = O link deixará de funcionar imediatamente. Sua senha continuará a mesma.
pages-not-me-cooldown = Depois disso, ninguém poderá solicitar uma nova senha nesta página por algum tempo: { $span }.
pages-not-me-submit = Desativar o link

pages-disavowed-title = O link não funciona mais
pages-disavowed-what = Sua senha não foi alterada. Não é preciso fazer mais nada.

pages-misused-title = O link já foi usado
pages-misused-what = Sua senha em { $shop } foi alterada com ele.
pages-misused-now = Se não foi você, solicite uma nova senha imediatamente. Troque também a senha do seu e-mail: alguém pode estar lendo as suas mensagens.
pages-misused-again = Solicitar uma nova senha

pages-restore-title = Desfazer a alteração do seu endereço de e-mail?
pages-restore-intro = O endereço de e-mail da sua conta em { $shop } foi alterado. Se não foi você, é possível desfazer isso aqui.
pages-restore-effect = Sua conta terá de volta o endereço para o qual enviamos o link. A senha deixará de funcionar, todos os dispositivos serão desconectados e você receberá um e-mail com um link para escolher uma nova senha.
pages-restore-submit = Desfazer a alteração
pages-restored-title = Seu endereço de e-mail foi restaurado
pages-restored-what = Sua senha antiga não funciona mais. Em alguns minutos você receberá um e-mail com um link para escolher uma nova.
pages-unrestorable-why = Ele expirou, ou a alteração foi desfeita de outra forma. Se outra pessoa estiver usando a sua conta, avise { $shop }.
