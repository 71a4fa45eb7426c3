"""Addresses of the privacy center."""

from django.urls import path

from privacy_center.views import (
    certificate,
    consent,
    erasure,
    evidence,
    gpc,
    ledger,
    mood,
    policy,
    privacy,
    receipt,
    renewal,
    timeline,
)

app_name = "privacy_center"

urlpatterns = [
    path("", privacy.privacy, name="privacy"),
    path("welcome/", privacy.welcome, name="welcome"),
    path("clean/<str:purpose>/", privacy.clean, name="clean"),
    path("preset/", consent.preset, name="preset"),
    path("decide/", consent.decide_one, name="decide"),
    path("mood/", mood.mood, name="mood"),
    path("health-data/", policy.health_policy, name="health-policy"),
    path("later/", renewal.put_aside, name="later"),
    path("opt-out/", gpc.opt_out, name="opt-out"),
    path("timeline/", timeline.timeline_page, name="timeline"),
    path("receipts/", receipt.receipts, name="receipts"),
    path("receipts/all/", receipt.download_all, name="receipts-all"),
    path("receipts/<uuid:record_id>/", receipt.receipt, name="receipt"),
    path("receipts/<uuid:record_id>/file/", receipt.download, name="receipt-file"),
    path("certificates/<uuid:record_id>/", certificate.certificate, name="certificate"),
    path("certificates/<uuid:record_id>/file/", certificate.download, name="certificate-file"),
    path("leave/", erasure.leave, name="leave"),
    path("erasures/<str:number>/", erasure.erasure, name="erasure"),
    path("erasures/<str:number>/file/", erasure.erasure_file, name="erasure-file"),
    path("erasures/<str:number>/cancel/", erasure.cancel, name="erasure-cancel"),
    path("verify/", receipt.verify, name="verify"),
    path("verify/verify_receipt.py", receipt.script, name="verify-script"),
    path("evidence/", evidence.evidence, name="evidence"),
    path("evidence/processing/", evidence.record_of_processing, name="processing"),
    path("evidence/processing/file/", evidence.record_of_processing_file, name="processing-file"),
    path("notices/<str:purpose>/", evidence.notice, name="notice"),
]

# At the root of the site, where strangers and their programs look for them.
ledger_urls = [
    path("ledger/checkpoint", ledger.checkpoint, name="ledger-checkpoint"),
    path("ledger/checkpoint/<str:size>", ledger.checkpoint_at, name="ledger-checkpoint-at"),
    path("ledger/consistency", ledger.consistency_proof, name="ledger-consistency"),
    path("ledger/proof", ledger.inclusion_proof, name="ledger-proof"),
    path("ledger/leaves", ledger.leaves, name="ledger-leaves"),
    path(".well-known/consent-ledger-keys", ledger.keys, name="ledger-keys"),
]
