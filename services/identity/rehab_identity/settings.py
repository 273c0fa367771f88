"""What this service can be told."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import SettingsConfigDict

from rehab_runtime.settings import BoxSettings, FollowSettings, PostgresDsn, TraceSettings

NOTICE_SECRET = 32


class Issuer(BaseModel):
    """An external OpenID Connect issuer. Its keys are told here or fetched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1, max_length=512)
    audience: str = Field(min_length=1)
    jwks_uri: str = Field("", pattern=r"^(https?://\S+)?$")
    jwks: dict[str, Any] | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    nonce: Literal["required", "unchecked"] = "required"

    @model_validator(mode="after")
    def _sound(self) -> Issuer:
        if (self.jwks is None) == (not self.jwks_uri):
            raise ValueError("an issuer needs either jwks_uri or jwks")
        allowed = {"RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "Ed25519"}
        if not self.algorithms or not set(self.algorithms) <= allowed:
            raise ValueError("algorithms must be of: " + ", ".join(sorted(allowed)))
        return self


class Settings(BoxSettings, FollowSettings, TraceSettings):
    model_config = SettingsConfigDict(env_prefix="IDENTITY_")

    postgres_dsn: PostgresDsn = Field(description="PostgreSQL database of accounts and decisions")
    emergency_review_h: float = Field(
        72, gt=0, le=8760, description="hours in which emergency access is to be reviewed"
    )
    notice_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="address to which notices of emergency access are posted; without one they are "
        "lines of the log",
    )
    notice_secret: SecretStr = Field(
        SecretStr(""), description="secret that shows who posts them, 32 characters or more"
    )
    revocations_kept_s: int = Field(
        3600,
        ge=120,
        le=604_800,
        description="time for which revocations are told anew: at least the life of a token",
    )
    issuer: str = Field(
        "rehab-identity", min_length=1, description="issuer that access tokens name"
    )
    access_token_s: int = Field(
        600, ge=10, le=3600, description="seconds for which an access token lets in"
    )
    refresh_grace_s: float = Field(
        10, ge=0, le=300, description="seconds in which a used refresh token is answered once more"
    )
    session_idle_h: float = Field(
        336, gt=0, le=8760, description="hours after which a session that is not used ends"
    )
    session_max_h: float = Field(
        2160, gt=0, le=17_520, description="hours after which a session ends, used or not"
    )
    signing_key_d: float = Field(
        30, gt=0, le=3650, description="days after which a new key signs access tokens"
    )
    signing_lead_s: float = Field(
        120,
        ge=0,
        le=3600,
        description="seconds for which a new signing key is told before it signs",
    )
    enrolment_code_s: int = Field(
        900, ge=1, le=86_400, description="seconds in which an enrolment code is to be used"
    )
    assertion_skew_s: float = Field(
        60,
        ge=0,
        le=600,
        description="seconds by which a device's or an issuer's clock may be wrong",
    )
    failures_account: int = Field(
        10, ge=1, description="failed attempts at one account in a window; more are refused"
    )
    failures_source: int = Field(
        100, ge=1, description="failed attempts from one address in a window; more are refused"
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description='proxies whose x-forwarded-for is believed, as JSON: ["10.0.0.0/8"]; without '
        "them failures are counted by who connects",
    )
    failure_window_s: int = Field(
        900, ge=1, le=86_400, description="seconds after which failures are forgotten"
    )
    hashing_threads: int = Field(2, ge=1, le=64, description="passwords checked at once")
    hashing_queue: int = Field(
        32, ge=1, le=10_000, description="passwords that may wait to be checked; more are refused"
    )
    issuers: tuple[Issuer, ...] = Field(
        (),
        description="external OpenID Connect issuers as JSON: "
        '[{"issuer", "audience", "jwks_uri"}]; "jwks" in place of "jwks_uri" names the keys '
        'themselves, "algorithms" which are accepted; "nonce": "unchecked" takes ID tokens that no '
        "CreateNonce began, which whoever gets hold of one may use, too",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _not_everybody(cls, told: tuple[IPvAnyNetwork, ...]) -> tuple[IPvAnyNetwork, ...]:
        if any(network.prefixlen == 0 for network in told):
            raise ValueError("must not be every address: then whoever calls could name any")
        return told

    @model_validator(mode="after")
    def _notices_are_signed(self) -> Settings:
        if self.notice_url and len(self.notice_secret.get_secret_value()) < NOTICE_SECRET:
            raise ValueError(
                f"notice_secret must have {NOTICE_SECRET} characters or more with notice_url"
            )
        if self.environment == "production" and self.notice_url.startswith("http:"):
            raise ValueError("notice_url must begin with https:// in production")
        return self
